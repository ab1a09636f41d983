"""The database goes away under a server that runs, and comes back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import pytest

from tests.server import OwnService

UNAVAILABLE = {"detail": "The database can't be reached just now. Nothing was written; try again."}


@pytest.fixture
def own(own_service: OwnService) -> Iterator[OwnService]:
    """Its database runs before and after, and the server has used it: the first use would start it again."""
    own_service.start_database()
    with own_service.client() as client:
        assert client.get("/api/participants").status_code == 200
    yield own_service
    own_service.start_database()


def seconds_until(is_back, *, limit: float) -> float:
    started = time.monotonic()
    while not is_back():
        assert time.monotonic() - started < limit
        time.sleep(0.02)
    return time.monotonic() - started


def test_it_answers_503_while_the_database_is_away_and_recovers_by_itself(own: OwnService):
    body = {"identifier": "somebody-of-note", "data": [{"experiment": own.chatbots[0], "data": {"a": 1}}]}
    session = {"Cookie": "sessionid=" + "a" * 32}
    with own.client() as client, own.server.client() as stranger:
        requests = {
            "list": lambda: client.get("/api/participants"),
            "upsert": lambda: client.post("/api/participants", json=body),
            "session": lambda: stranger.get("/api/participants", headers=session),
            "admin": lambda: stranger.get("/admin/", headers=session),
            "admin page": lambda: stranger.get("/admin/", headers=session | {"Accept": "text/html"}),
        }
        assert requests["upsert"]().status_code == 200
        assert client.get("/health/ready").status_code == 200
        written = len(own.server.log())
        for immediate in (False, True):
            own.stop_database(immediate=immediate)
            for name, request in list(requests.items()) * 2:
                started = time.monotonic()
                response = request()
                assert (response.status_code, response.json()) == (503, UNAVAILABLE), name
                assert int(response.headers["Retry-After"]) > 0
                assert time.monotonic() - started < 3, name
            assert client.get("/health/live").json() == {"status": "ok"}
            ready = client.get("/health/ready")
            assert ready.status_code == 503
            assert ready.json() == {"status": "unavailable", "detail": "The database can't be reached."}
            assert client.get("/api/schema/").status_code == 200
            own.start_database()
            seconds_until(lambda: requests["list"]().status_code == 200, limit=2)
            assert client.get("/health/ready").json() == {"status": "ok"}
            assert requests["upsert"]().status_code == 200
            assert requests["session"]().status_code == 401
        assert "Traceback" not in own.server.log()[written:]
        assert "somebody-of-note" not in own.server.log()[written:]


def test_every_write_that_was_answered_outlives_a_crash_of_the_database(own: OwnService):
    end = Event()
    answers: Counter[int] = Counter()
    kept: list[tuple[str, int]] = []

    def write(share: int) -> None:
        with own.client() as client:
            number = 0
            while not end.is_set():
                number += 1
                identifier = f"writer {share} {number}"
                entry = {"experiment": own.chatbots[share], "data": {"n": number}}
                response = client.post("/api/participants", json={"identifier": identifier, "data": [entry]})
                answers[response.status_code] += 1
                if response.status_code == 200:
                    kept.append((identifier, number))
                else:
                    assert response.json() == UNAVAILABLE
                    time.sleep(0.01)

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(write, share) for share in range(8)]
        try:
            for _ in range(2):
                time.sleep(0.4)
                own.stop_database(immediate=True)
                time.sleep(0.1)
                own.start_database()
            time.sleep(0.4)
        finally:
            end.set()
        for future in running:
            future.result(30)
    assert answers.keys() == {200, 503}
    assert answers[200] > 10
    found = dict(everybody(own))
    assert {identifier: found.get(identifier) for identifier, _ in kept} == dict(kept)


def everybody(own: OwnService) -> Iterator[tuple[str, int]]:
    with own.client() as client:
        url = "/api/participants?page_size=1500"
        while url:
            page = client.get(url).json()
            for person in page["results"]:
                if person["identifier"].startswith("writer"):
                    yield person["identifier"], person["data"][0]["data"]["n"]
            url = page["next"]


def test_a_caller_is_told_at_once_while_others_wait_too(own: OwnService):
    """Twenty callers at once, with the database away: nobody waits for somebody else's time-out."""
    own.stop_database()
    with own.client() as client, ThreadPoolExecutor(20) as pool:
        started = time.monotonic()
        found: list[httpx.Response] = list(pool.map(lambda _: client.get("/api/participants"), range(40)))
    assert {response.status_code for response in found} == {503}
    assert time.monotonic() - started < 5
