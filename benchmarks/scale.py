"""Whether the API is as fast with a million: `python -m benchmarks.scale [SMALL LARGE [CASES]]`.

Two databases and two web servers, asked in turns one request at a time; what counts is the ratio of medians.
Prints the sizes of the large one's tables and indexes too. It takes about ten minutes and 5 GB of disk.
"""

from __future__ import annotations

import json
import statistics
import sys
from contextlib import ExitStack
from typing import Any

import psycopg

from config import database

from .api import Plan, ask
from .cases import CASES, Seeded
from .place import Place, place
from .sides import start_service

ROUNDS, SECONDS = 5, 3
_TABLES = ["participants_participant", "participants_participantdata", "schedules_scheduledmessage"]
_SIZES = """
    SELECT t.relname, c.relname, c.relkind = 'i', pg_relation_size(c.oid), t.reltuples::bigint
      FROM pg_class t
      JOIN pg_class c ON c.oid = t.oid OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = t.oid)
     WHERE t.relname = ANY(%s)
     ORDER BY t.relname, c.relkind DESC, c.relname
"""


def compare(counts: list[int], letters: str) -> dict[str, Any]:
    with ExitStack() as stack:
        places = {count: stack.enter_context(place()) for count in counts}
        sides = {}
        for count, run in places.items():
            seeded = json.loads(run.run("-m", "benchmarks.with_django", "people", str(count)))
            sides[count] = start_service(run, Seeded(**seeded["service"]))
        found: dict[str, Any] = {}
        for letter in letters:
            case = CASES[letter]
            took: dict[int, list[float]] = {count: [] for count in counts}
            # The first round warms the caches.
            for number in range(ROUNDS + 1):
                for count, run in places.items():
                    plan = Plan(count, ROUNDS, SECONDS if number else 10)
                    done = ask(run, sides[count], letter, plan, connections=1)
                    if number:
                        took[count].append(done.p50_ms)
            small, large = (statistics.median(took[count]) for count in counts)
            found[letter] = {"small_p50_ms": small, "large_p50_ms": large, "ratio": round(large / small, 2)}
            print(
                f"{letter}  {case.title:<34}{small:.2f} ms, {large:.2f} ms: {large / small:.2f}", flush=True
            )
        found["sizes"] = sizes(places[counts[-1]])
    return found


def sizes(run: Place) -> list[dict[str, Any]]:
    """In bytes a row."""
    with psycopg.connect(database.url(run.data_dir)) as connection:
        rows = connection.execute(_SIZES, [_TABLES]).fetchall()
    return [
        {
            "table": table,
            "relation": name,
            "is_index": is_index,
            "bytes": size,
            "a_row": round(size / rows, 1),
        }
        for table, name, is_index, size, rows in rows
    ]


if __name__ == "__main__":
    given = sys.argv[1:3] or ["20000", "1000000"]
    found = compare([int(count) for count in given], sys.argv[3] if sys.argv[3:] else "".join(CASES))
    for each in found["sizes"]:
        print(f"{each['relation']:<40}{each['bytes'] / 2**20:>9.1f} MiB {each['a_row']:>8.1f} bytes a row")
    print(json.dumps(found))
