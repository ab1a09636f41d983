"""What a claim costs with few and with many pending: `python -m benchmarks.with_django claim_cost FEW MANY`.

Two databases of one server, asked in turns by one process, so that what else the machine does meets both.
What counts is the ratio of medians. Prints JSON.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from apps.schedules.claims import claim
from config import database

from .due import store

ROUNDS = {0: 300, 50: 60}  # by how many are due
AT_ONCE = 50
_DAY = 24 * 3600
_NEXT = """
    UPDATE schedules_scheduledmessage SET due_at = now() - interval '1 second'
     WHERE id IN (SELECT id FROM schedules_scheduledmessage WHERE status = 'pending' ORDER BY due_at LIMIT %s)
"""
# To the end of the queue: the next round has others.
_UNDO = """
    UPDATE schedules_scheduledmessage SET status = 'pending', due_at = now() + interval '1 year'
     WHERE id = ANY(%s)
"""


def connect(name: str) -> Any:
    """To another database of the server, in the place of the connection that was."""
    made = connections.create_connection(DEFAULT_DB_ALIAS)
    made.settings_dict = made.settings_dict | {"NAME": name}
    connections[DEFAULT_DB_ALIAS] = made
    return made


def make(pending: int) -> Any:
    """A connection to a new database with so many."""
    name = f"pending_{pending}"
    server = connect("postgres")
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {database.NAME}")
    server.close()
    made = connect(name)
    store("http://127.0.0.1:9/", pending, seconds=_DAY, spread=365 * _DAY)
    return made


def settle(made: Any) -> None:
    """So that the seeding's aftermath falls into no measurement."""
    _execute(made, "VACUUM ANALYZE")
    _execute(made, "CHECKPOINT")


def milliseconds(made: Any, due: int) -> float:
    """Of one claim that takes `due` schedules."""
    connections[DEFAULT_DB_ALIAS] = made
    if due:
        _execute(made, _NEXT, [due])
    began = time.perf_counter()
    claimed = claim(limit=AT_ONCE, each=AT_ONCE, cautious=AT_ONCE, busy={})
    took = (time.perf_counter() - began) * 1000
    assert len(claimed) == due
    if due:
        _execute(made, _UNDO, [[each.schedule_id for each in claimed]])
        _execute(made, "DELETE FROM schedules_deliveryattempt")
    return took


def _execute(made: Any, statement: str, values: list[Any] | None = None) -> None:
    with made.cursor() as cursor:
        cursor.execute(statement, values)


def compare(few: int, many: int) -> dict[str, Any]:
    made = {pending: make(pending) for pending in (few, many)}
    found: dict[str, Any] = {}
    for due, rounds in ROUNDS.items():
        for each in made.values():
            settle(each)
        took: dict[int, list[float]] = {few: [], many: []}
        for number in range(rounds + 10):
            for pending, each in made.items():
                spent = milliseconds(each, due)
                if number >= 10:  # the statement is prepared, and its plan chosen
                    took[pending].append(spent)
        medians = {pending: statistics.median(times) for pending, times in took.items()}
        found[f"{due} due"] = {
            f"ms with {pending:,} pending": round(ms, 3) for pending, ms in medians.items()
        }
        found[f"{due} due"]["ratio"] = round(medians[many] / medians[few], 2)
    return found


def main(arguments: list[str]) -> None:
    few, many = map(int, arguments)
    print(json.dumps(compare(few, many)))
