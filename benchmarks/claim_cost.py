"""What a claim costs: `python -m benchmarks.claim_cost URL`. Prints milliseconds, as JSON."""

from __future__ import annotations

import json
import os
import statistics
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402

from apps.schedules.claims import claim  # noqa: E402

ROUNDS = 40
AT_ONCE = 50
_DUE = """
    UPDATE schedules_scheduledmessage SET due_at = now() - interval '1 second'
     WHERE id IN (SELECT id FROM schedules_scheduledmessage WHERE status = 'pending' LIMIT %s)
"""
_UNDO = """
    UPDATE schedules_scheduledmessage SET status = 'pending', due_at = now() + interval '9 days'
     WHERE status = 'sending'
"""


def milliseconds(due: int) -> float:
    """Of one claim that takes `due` schedules."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [due])
    began = time.perf_counter()
    claimed = claim(limit=AT_ONCE, each=AT_ONCE, cautious=AT_ONCE, busy={})
    took = (time.perf_counter() - began) * 1000
    assert len(claimed) == due
    with connection.cursor() as cursor:
        cursor.execute(_UNDO)
        cursor.execute("DELETE FROM schedules_deliveryattempt")
    return took


for number in (0, AT_ONCE):
    milliseconds(number)
print(
    json.dumps(
        {
            "nothing due, ms": round(statistics.median(milliseconds(0) for _ in range(ROUNDS)), 3),
            f"{AT_ONCE} due, ms": round(statistics.median(milliseconds(AT_ONCE) for _ in range(ROUNDS)), 3),
        }
    )
)
