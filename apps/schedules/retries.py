"""When the next attempt is made, and when there is none."""

from __future__ import annotations

import random
from datetime import timedelta

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# So that what failed together does not come back together. Never earlier than said.
_JITTER = 0.1
_LONGEST_WISH = timedelta(hours=24)


def delay_after(attempts: int, *, wish: timedelta | None = None) -> timedelta | None:
    """How long to wait after so many attempts; None when that was the last. `wish` is what the receiver
    asked for: it is granted up to a day."""
    if attempts > len(DELAYS):
        return None
    delay = DELAYS[attempts - 1] * (1 + random.random() * _JITTER)  # noqa: S311 (nothing secret)
    return max(delay, min(wish, _LONGEST_WISH)) if wish else delay
