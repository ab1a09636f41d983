"""Writes what became of attempts, many at a time; keeps what can't be written until it can."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import Error, connection

from . import claims
from .claims import Claimed, Settled
from .delivery import Verdict, settle
from .health import note_health

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MOST_AT_ONCE = 500
_AFTER_OUTAGE = 0.5


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt went, and when it ended by the database's clock."""

    due: Claimed
    verdict: Verdict
    ended: datetime


class DatabaseThread:
    """One thread, one connection, for the statements of a worker: its event loop never waits for them."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        """Raises django.db.Error, and comes back with a new connection after it."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, _guarded, work)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, _disconnect)
        self._executor.shutdown(wait=False)


def _disconnect() -> None:
    connection.close()  # the thread's own


def _guarded(work: Callable[[], T]) -> T:
    try:
        return work()
    except Error:
        _disconnect()
        raise


class Recorder:
    def __init__(self, *, gather: float) -> None:
        """Results that come within `gather` seconds are written together."""
        self.gather = gather
        self._database = DatabaseThread("recorder")
        self._results: list[Result] = []
        self._settled: list[Settled] = []
        self._has_work = asyncio.Event()
        self._noted = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def add(self, result: Result) -> asyncio.Event:
        """Set once the endpoint's health is written, and with it whether to leave the endpoint alone."""
        self._results.append(result)
        self._wake()
        return self._noted

    def add_settled(self, settled: Settled) -> None:
        self._settled.append(settled)
        self._wake()

    def _wake(self) -> None:
        self._is_idle.clear()
        self._has_work.set()

    async def run(self) -> None:
        """Until it is cancelled; `drain` before that."""
        while True:
            await self._has_work.wait()
            await asyncio.sleep(self.gather)
            try:
                await self._write()
            except Error as error:
                logger.error("results wait to be recorded: %s", type(error).__name__)
                await asyncio.sleep(_AFTER_OUTAGE)
            if not self._results and not self._settled:
                self._has_work.clear()
                self._is_idle.set()

    async def drain(self, *, patience: float) -> None:
        """Waits until all is written, but not for ever: what is not becomes due again with its lease."""
        try:
            async with asyncio.timeout(patience):
                await self._is_idle.wait()
        except TimeoutError:
            logger.error("%d results could not be recorded", len(self._results) + len(self._settled))
        await self._database.close()

    async def _write(self) -> None:
        # Taken one by one into what is settled: an error on the way loses none of them.
        results = self._results[:_MOST_AT_ONCE]
        if results:
            settled = await self._database.run(lambda: _settle(results))
            del self._results[: len(results)]
            self._noted.set()
            self._noted = asyncio.Event()
            self._settled += settled
        batch = self._settled[:_MOST_AT_ONCE]
        left = await self._database.run(lambda: claims.record(batch))
        del self._settled[: len(batch)]
        self._settled += [settled for settled in batch if settled.attempt_id in left]


def _settle(results: list[Result]) -> list[Settled]:
    """In the thread, for the next occurrence of a rule may take long to find."""
    note_health((result.due, result.verdict) for result in results)
    return [settle(result.due, result.verdict, now=result.ended) for result in results]
