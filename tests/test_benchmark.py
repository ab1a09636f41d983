"""The floor does what the service does, or the benchmark compares two different things."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.request import Request, urlopen

import psycopg
import pytest

from benchmarks.cases import PATH, Seeded
from benchmarks.load import processor_seconds, tree
from benchmarks.place import Place, place
from benchmarks.sides import Side, answer, start_floor, start_service
from config import database

PEOPLE = 260  # so that the page far inside is the second of three


@pytest.fixture(scope="module")
def sides() -> Iterator[tuple[Place, Side, Side]]:
    with place() as run:
        seeded = json.loads(run.run("-m", "benchmarks.with_django", "people", str(PEOPLE), "--floor"))
        service = start_service(run, Seeded(**seeded["service"]))
        yield run, service, start_floor(run, Seeded(**seeded["floor"]))


def shown(side: Side, path: str) -> list[object]:
    """The people of a page, without what differs from team to team."""
    people = answer(side.target.url + path, side.target.headers)["results"]
    for person in people:
        assert person.pop("id")
        for entry in person["data"]:
            assert entry.pop("chatbot_id") in side.seeded.chatbots
            entry["chatbot"] = entry["chatbot"].split()[-1]
    return people


@pytest.mark.parametrize("letter", "abcd")
def test_the_floor_shows_the_same_people(sides, letter):
    _, service, floor = sides
    find = "?identifier=person-0000007@example.org" if letter == "c" else ""
    found = shown(service, service.paths[letter] + find)
    assert len(found) == (1 if find else 100)
    assert shown(floor, floor.paths[letter] + find) == found


def stored(run: Place, side: Side) -> list[tuple[object, ...]]:
    count = "SELECT count(*), sum(version), (SELECT count(*) FROM schedules_scheduledmessage s WHERE s.team_id = d.team_id)"
    with psycopg.connect(database.url(run.data_dir)) as connection:
        return connection.execute(
            f"{count} FROM participants_participantdata d WHERE team_id = %s GROUP BY team_id",
            [side.seeded.team],
        ).fetchall()


def test_the_floor_writes_the_same_rows(sides):
    run, *both = sides
    for identifier in ("person-0000007@example.org", "somebody new"):
        for side in both:
            schedules = [
                {"id": name, "name": name, "prompt": "p", "date": "2031-01-01T00:00:00Z"}
                for name in ("x", "y")
            ]
            data = [
                {"experiment": bot, "data": {"a": 1}, "schedules": schedules} for bot in side.seeded.chatbots
            ]
            body = json.dumps({"identifier": identifier, "data": data}).encode()
            headers = side.target.headers | {"Content-Type": "application/json"}
            with urlopen(Request(side.target.url + PATH, body, headers), timeout=20) as response:
                assert response.status == 200
    service, floor = (stored(run, side) for side in both)
    assert service == floor == [(2 * PEOPLE + 2, 2 * PEOPLE + 4, 3 * PEOPLE + 8)]


def test_a_process_that_has_ended_is_counted_as_nothing():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert child.pid in tree(os.getpid())
    child.communicate()
    assert tree(child.pid) == [child.pid]
    assert processor_seconds([child.pid]) == 0
    assert child.pid not in tree(os.getpid())
