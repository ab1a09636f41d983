"""How fast the API is, beside what its server and its database do at best: the floor (`benchmarks.floor`).

    python -m benchmarks.api            20,000 participants, some minutes
    python -m benchmarks.api --quick    5,000, under a minute

The last line is one JSON object: for each case the rate at 8 connections, the floor's, their ratio, and of a
request at 1 connection the milliseconds, the statements and the processor's time.

Service and floor run at once and are asked in turns, so that what else the machine does meets both.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from . import report
from .cases import CASES, Seeded
from .load import Run, drive, require_wrk, resident_mb, tree
from .place import Place, place
from .sides import Side, page_ratio, start_floor, start_service
from .statements import statements

CONNECTIONS = (1, 8)
_marks = itertools.count(int(time.time()))


@dataclass(frozen=True, slots=True)
class Plan:
    people: int
    rounds: int
    seconds: int


FULL = Plan(people=20_000, rounds=5, seconds=3)
QUICK = Plan(people=5_000, rounds=2, seconds=1)


def measure(run: Place, plan: Plan) -> dict[str, Any]:
    seeded = json.loads(run.run("-m", "benchmarks.with_django", "people", str(plan.people), "--floor"))
    service = start_service(run, Seeded(**seeded["service"]))
    floor = start_floor(run, Seeded(**seeded["floor"]))
    found: dict[str, Any] = {}
    for letter, case in CASES.items():
        runs: dict[tuple[str, int], list[Run]] = {}
        for connections, _ in itertools.product(CONNECTIONS, range(plan.rounds)):
            for name, side in (("service", service), ("floor", floor)):
                done = ask(run, side, letter, plan, connections=connections)
                runs.setdefault((name, connections), []).append(done)
        found[letter] = report.figures(runs)
        count = statements(run, partial(ask, run, service, letter, replace(plan, seconds=1), connections=1))
        found[letter]["statements"] = round(count)
        report.say(report.line(letter, case, found[letter]))
    found["rss_mb"] = round(max(resident_mb(pid) for pid in tree(service.target.pid)), 1)
    found["page_1500_to_100"] = round(page_ratio(service), 1)
    found["start_seconds"] = round(service.start_seconds, 2)
    return found


def ask(run: Place, side: Side, letter: str, plan: Plan, *, connections: int) -> Run:
    mark = str(next(_marks))  # new people have new names, and chance another seed
    return drive(
        side.target,
        [CASES[letter].kind, side.paths[letter], str(plan.people), mark, mark, *side.seeded.chatbots],
        connections=connections,
        seconds=plan.seconds,
        database_pid=run.database_pid,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--chart", type=Path, help="where to draw it, as SVG")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    require_wrk()
    with place() as run:
        found = measure(run, QUICK if given.quick else FULL)
    report.say(report.rest(found) + "\n\n" + report.table(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    if given.chart:
        given.chart.write_bytes(report.chart(found))
    report.say(json.dumps(found))


if __name__ == "__main__":
    main()
