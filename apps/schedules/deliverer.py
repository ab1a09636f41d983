"""The part of a worker that sends what is due: claims it, sends it, and has recorded how that went."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import Error

from apps.chatbots.endpoints import UnusableUrl

from . import claims
from .claims import Claimed
from .delivery import Verdict, attempt, by_chatbot, cut_off, target_of
from .models import Outcome
from .outbound import TIME_LIMIT, Outbound, Route, Unreachable
from .recorder import DatabaseThread, Recorder, Result

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once, and how often, in seconds."""

    at_once: int = 1000
    each_endpoint: int = 100
    endpoint_in_trouble: int = 3
    sweep: float = 0.5
    look_for_lost: float = 5.0
    gather_results: float = 0.05
    # So many that ended make it worth while to claim more before the next sweep: a statement for 70 costs
    # little more than one for 10.
    worth_a_claim: int = 70
    # What begins within this ends within its lease.
    begin_within: float = claims.LEASE.total_seconds() - TIME_LIMIT


@dataclass(frozen=True, slots=True)
class _Moments:
    """When a claim was asked for and when it was answered, by this process's clock."""

    asked: float
    answered: float


class Deliverer:
    """Sends what is due until it is stopped. Any number of them may run on one database.

    What is claimed is sent at once, so that an attempt begins when its record says so. One endpoint holds
    a limited part of the room, and a slow one therefore not the others.
    """

    def __init__(self, outbound: Outbound, *, pace: Pace | None = None) -> None:
        self.outbound = outbound
        self.pace = pace or Pace()
        self._database = DatabaseThread("claims")
        self._recorder = Recorder(gather=self.pace.gather_results)
        self._busy: Counter[int] = Counter()
        self._sending: dict[int, Claimed] = {}  # by attempt, until its result is known
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = 0
        self._wanted = 0
        self._room_again = asyncio.Event()
        self._looked_for_lost = 0.0

    async def run(self, stop: asyncio.Event, *, patience: float) -> None:
        """Until `stop` is set. Then what is under way has so many seconds to end; the rest is given back."""
        recording = asyncio.create_task(self._recorder.run())
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._room_again.set())
        try:
            while not stop.is_set():
                try:
                    await self._sweep()
                except Error as error:
                    logger.error("the sweep could not reach the database: %s", type(error).__name__)
                self.outbound.close_idle()
                await self._pause()
            await self._finish(patience)
        finally:
            stopping.cancel()
            recording.cancel()
            await self._database.close()

    async def _sweep(self) -> None:
        now = time.monotonic()
        if now - self._looked_for_lost >= self.pace.look_for_lost:
            lost = await self._database.run(claims.give_back_lost)
            self._looked_for_lost = now
            if lost:
                logger.warning("%d attempts were lost with their worker: they are due again", lost)
        room = self.pace.at_once - len(self._sending)
        if room <= 0:
            return
        asked = time.monotonic()
        claimed = await self._database.run(
            partial(
                claims.claim,
                limit=room,
                each=self.pace.each_endpoint,
                cautious=self.pace.endpoint_in_trouble,
                busy=dict(self._busy),
            )
        )
        moments = _Moments(asked, time.monotonic())
        for due in claimed:
            self._sending[due.attempt_id] = due
            self._busy[due.chatbot_key] += 1
        for group in by_chatbot(claimed).values():
            self._start(self._send_group(group, moments))

    async def _pause(self) -> None:
        """Until the next sweep, or until there is room for more of what may be due."""
        self._ended = 0
        self._wanted = min(self.pace.worth_a_claim, max(len(self._sending) * 3 // 4, 1))
        self._room_again.clear()
        try:
            async with asyncio.timeout(self.pace.sweep):
                await self._room_again.wait()
        except TimeoutError:
            pass

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_group(self, group: list[Claimed], moments: _Moments) -> None:
        """All that goes to one endpoint; its name is looked up once for all."""
        try:
            route = await self.outbound.route(target_of(group[0].url))
        except (Unreachable, UnusableUrl) as error:
            for due in group:
                self._start(self._end(due, Verdict(Outcome.FAILED, reason=str(error)), moments))
            return
        for due in group:
            self._start(self._send(due, route, moments))

    async def _send(self, due: Claimed, route: Route, moments: _Moments) -> None:
        if time.monotonic() - moments.asked > self.pace.begin_within:
            # The database stood still, or this process did. Begun now, it might be sent by two at once.
            logger.warning("attempt %s came too late to begin: its lease will end", due.attempt_id)
            del self._sending[due.attempt_id]
            self._make_room(due)
            return
        try:
            verdict = await attempt(due, route, self.outbound, now=_database_time(due, moments))
        except Exception:  # The outer edge: nothing about one message may stop the others.
            logger.exception("attempt %s at schedule %s broke down", due.attempt_id, due.schedule_id)
            verdict = Verdict(Outcome.FAILED, reason="An internal error: the worker's log has it.")
        await self._end(due, verdict, moments)

    async def _end(self, due: Claimed, verdict: Verdict, moments: _Moments) -> None:
        del self._sending[due.attempt_id]
        noted = self._recorder.add(Result(due, verdict, _database_time(due, moments)))
        if not verdict.is_delivered:
            # It keeps its place until then, or more would be sent into the same trouble.
            await noted.wait()
        self._make_room(due)

    def _make_room(self, due: Claimed) -> None:
        self._busy[due.chatbot_key] -= 1
        if not self._busy[due.chatbot_key]:
            del self._busy[due.chatbot_key]
        self._ended += 1
        if self._ended >= self._wanted:
            self._room_again.set()

    async def _finish(self, patience: float) -> None:
        if self._sending:
            logger.info("waiting for %d attempts under way", len(self._sending))
            deadline = time.monotonic() + patience
            while self._sending and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
        for due in self._sending.values():
            self._recorder.add_settled(cut_off(due))
        await self._recorder.drain(patience=3)
        self.outbound.close_idle(older_than=0)


def _database_time(due: Claimed, moments: _Moments) -> datetime:
    """Now, by the clock that said when it is due."""
    return due.now + timedelta(seconds=time.monotonic() - moments.answered)
