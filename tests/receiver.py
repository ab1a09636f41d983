"""A receiver of webhooks in a thread of this process, on 127.0.0.1 where it is given no other socket."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import h11
import pytest


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    peer: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.body)["data"]

    @property
    def prompt(self) -> str:
        return self.data["schedule"]["prompt"]


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    delay: float = 0.0
    close: bool = False


Behaviour = Callable[[Received], Reply]


class Receiver:
    """`answer` says what comes back. `got` is what came, in order; `connections` how many were made."""

    def __init__(self) -> None:
        self.got: list[Received] = []
        self.answer: Behaviour = lambda received: Reply()
        self.connections = 0
        self.under_way = 0
        self.most_under_way = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self, tls: ssl.SSLContext | None = None, *, listener: socket.socket | None = None) -> None:
        """Also again, on the same port, after `stop`."""
        where = {"sock": listener} if listener else {"host": "127.0.0.1", "port": self.port}

        async def serve() -> None:
            self._server = await asyncio.start_server(self._serve, backlog=1024, ssl=tls, **where)

        asyncio.run_coroutine_threadsafe(serve(), self._loop).result(5)
        assert self._server is not None
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        async def close() -> None:
            if self._server:
                self._server.close()
            await asyncio.sleep(0.01)  # for those who just came to be noticed
            mine = asyncio.current_task()
            others = [task for task in asyncio.all_tasks() if task is not mine]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0.01)  # for what was closed to be so

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def wait(self, count: int, *, seconds: float = 10) -> list[Received]:
        """What came, once it is so many."""
        deadline = time.monotonic() + seconds
        while len(self.got) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(self.got)} came within {seconds} seconds, not {count}")
            time.sleep(0.01)
        return list(self.got)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        peer = (writer.get_extra_info("peername") or [""])[0]
        http = h11.Connection(h11.SERVER)
        try:
            while await self._exchange(http, peer, reader, writer):
                http.start_next_cycle()
        except (OSError, h11.ProtocolError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _exchange(
        self,
        http: h11.Connection,
        peer: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        request, body = None, b""
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return False
        assert request is not None
        headers = {name.decode().lower(): value.decode() for name, value in request.headers}
        received = Received(request.target.decode(), headers, body, time.time(), peer)
        self.got.append(received)
        reply = self.answer(received)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(reply.delay)
        self.under_way -= 1
        sent = list(({"Content-Length": str(len(reply.body))} | reply.headers).items())
        if reply.close:
            sent.append(("Connection", "close"))
        writer.write(http.send(h11.Response(status_code=reply.status, headers=sent)) or b"")
        writer.write(http.send(h11.Data(data=reply.body)) or b"")
        writer.write(http.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        return not reply.close


@contextmanager
def receiving(tls: ssl.SSLContext | None = None, *, start: bool = True) -> Iterator[Receiver]:
    running = Receiver()
    if start:
        running.start(tls)
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running
