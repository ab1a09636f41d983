"""Several callers at once, each in a thread with a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

from django.db import connection


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Starts all calls in one instant. Returns their results, or raises what the first raised."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait(10)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(60) for future in [pool.submit(run, call) for call in calls]]


@contextmanager
def meanwhile(*calls: Callable[[], object]) -> Iterator[None]:
    """Repeats each call in a thread until the block ends, at least once. Raises what they raised."""
    end = Event()

    def repeat(call: Callable[[], object]) -> None:
        try:
            call()
            while not end.is_set():
                call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        running: list[Future[None]] = [pool.submit(repeat, call) for call in calls]
        try:
            yield
        finally:
            end.set()
        for future in running:
            future.result(60)
