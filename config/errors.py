"""What keeps the service from starting. Uncaught, it is shown as its message, without a traceback."""

from __future__ import annotations

import sys
from types import TracebackType


class StartError(Exception):
    """The service can't start. The message says why, and what to do."""


class SettingError(StartError):
    """A variable is missing or unusable. The message is one line that says what to do."""


def _show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if isinstance(error, StartError):
        sys.stderr.write(f"{error}\n")
    else:
        sys.__excepthook__(kind, error, traceback)


# Here, and not where programs start: reading the settings can fail before any of them has begun.
sys.excepthook = _show
