"""Calls of the API, from the client's host, while other things happen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

import httpx

from tests.hosts.network import Host
from tests.hosts.place import Place

_PAUSE = 0.4


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    host: str
    status: int
    seconds: float


@contextmanager
def calling(place: Place, people: list[str]) -> Iterator[list[Call]]:
    """Reads and upserts, at each web host in turn with a short pause, until the block ends. What they came
    to is added to the list; a call without an answer is raised when the block ends."""
    made: list[Call] = []
    end = Event()

    def go_on(web: Host) -> None:
        with place.client.entered(), place.api(web) as api:
            number = 0
            while not end.wait(_PAUSE):
                number += 1
                made.append(_timed(api.get, web, "/api/participants"))
                made.append(_upsert(place, api, web, people[number % len(people)], number))

    with ThreadPoolExecutor(len(place.webs)) as pool:
        running = [pool.submit(go_on, web) for web in place.webs]
        try:
            yield made
        finally:
            end.set()
        for future in running:
            future.result()


def upsert_meanwhile(place: Place, pool: ThreadPoolExecutor, web: Host, person: str) -> Future[Call]:
    def call() -> Call:
        with place.client.entered(), place.api(web) as api:
            return _upsert(place, api, web, person, 0)

    return pool.submit(call)


def _upsert(place: Place, api: httpx.Client, web: Host, person: str, number: int) -> Call:
    entry = {"experiment": place.chatbot, "data": {"number": number}}
    body = {"identifier": person, "data": [entry]}
    return _timed(api.post, web, "/api/participants", json=body)


def _timed(request, web: Host, path: str, **options) -> Call:
    began = time.monotonic()
    response = request(path, **options)
    return Call(response.request.method, web.address, response.status_code, time.monotonic() - began)
