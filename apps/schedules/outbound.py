"""The only code that calls other hosts: POST over HTTP/1.1, to an address that was checked and no other.

A small client on h11, because the ones at hand resolve a name once more when they connect, and took
twenty times the processor time for each request. It follows no redirect, knows no proxy and no cookie.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import h11

from apps.chatbots.endpoints import Target

from .addresses import Lookup, Refused, allowed_addresses, look_up

TIME_LIMIT = 20.0
# Of an answer that is longer the rest is not read.
MAX_ANSWER = 64 * 1024
# Servers commonly close an idle connection after 5 seconds or more.
_KEEP_IDLE = 3.0

Headers = Sequence[tuple[str, str]]


class Unreachable(Exception):
    """There is no answer. The message says why, in words for the team."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Route:
    """A target, and the addresses at which it was just found to be allowed."""

    target: Target
    addresses: tuple[str, ...]


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    idle_since: float = 0.0

    async def post(self, target: Target, headers: Headers, body: bytes) -> Answer:
        request = h11.Request(method="POST", target=target.path, headers=list(headers))
        sent = self.http.send(request) or b""
        self.writer.write(sent + (self.http.send(h11.Data(data=body)) or b""))
        self.http.send(h11.EndOfMessage())
        answer = None
        received = b""
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(await self.reader.read(65536))
            elif isinstance(event, h11.Response):
                answer = event
            elif isinstance(event, h11.Data):
                received += event.data
                if len(received) > MAX_ANSWER:
                    break
            elif isinstance(event, h11.EndOfMessage | h11.PAUSED | h11.ConnectionClosed):
                break
        if answer is None:
            raise h11.RemoteProtocolError("no answer")
        found = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
        return Answer(answer.status_code, found, received[:MAX_ANSWER])

    def is_usable(self) -> bool:
        """Whether the next request may go over it."""
        return not self.reader.at_eof() and not self.writer.is_closing()

    def finish(self) -> bool:
        """Makes it ready for another request. False when the other side, or we, have had enough."""
        if self.http.our_state is h11.DONE and self.http.their_state is h11.DONE:
            self.http.start_next_cycle()
            self.idle_since = time.monotonic()
            return self.is_usable()
        return False

    def close(self) -> None:
        # At once: a goodbye in TLS would wait for the other side's.
        self.writer.transport.abort()


_Key = tuple[str, str, int, str]


class Outbound:
    """Keeps connections for a few seconds, each for one host at one address."""

    def __init__(self, *, allow_private: bool, lookup: Lookup = look_up, limit: float = TIME_LIMIT) -> None:
        self.allow_private = allow_private
        self.lookup = lookup
        self.limit = limit
        self._idle: dict[_Key, list[_Connection]] = defaultdict(list)
        self._tls = ssl.create_default_context()

    async def route(self, target: Target) -> Route:
        """To be asked anew for every sending: a name may lead elsewhere by then. Raises Unreachable."""
        try:
            async with asyncio.timeout(self.limit):
                found = await allowed_addresses(
                    target.host, target.port, allow_private=self.allow_private, lookup=self.lookup
                )
        except TimeoutError as error:
            raise Unreachable(f"The name {target.host} was not resolved in time.") from error
        except Refused as error:
            raise Unreachable(str(error)) from error
        return Route(target, tuple(found))

    async def post(self, route: Route, headers: Headers, body: bytes) -> Answer:
        """What the other side says, whatever it is. Raises Unreachable."""
        sent = [
            ("Host", route.target.authority),
            *headers,
            ("Accept-Encoding", "identity"),
            ("Content-Length", str(len(body))),
        ]
        try:
            async with asyncio.timeout(self.limit):
                return await self._post(route, sent, body)
        except TimeoutError as error:
            raise Unreachable(f"No answer within {self.limit:g} seconds.") from error
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"The certificate is not valid: {error.verify_message}.") from error
        except ssl.SSLError as error:
            raise Unreachable("No secure connection could be made.") from error
        except ConnectionRefusedError as error:
            raise Unreachable("The connection was refused.") from error
        except OSError as error:
            raise Unreachable("The connection could not be made, or broke off.") from error
        except h11.ProtocolError as error:
            raise Unreachable("The connection ended without an answer in HTTP.") from error

    async def _post(self, route: Route, headers: Headers, body: bytes) -> Answer:
        key, connection = self._take_idle(route)
        if connection:
            try:
                return await self._exchange(key, connection, route.target, headers, body)
            except (OSError, h11.RemoteProtocolError):
                pass  # It was closed just now, as idle connections are: once more, on a new one.
        key, connection = await self._connect(route)
        return await self._exchange(key, connection, route.target, headers, body)

    async def _exchange(
        self, key: _Key, connection: _Connection, target: Target, headers: Headers, body: bytes
    ) -> Answer:
        try:
            answer = await connection.post(target, headers, body)
        except BaseException:
            connection.close()
            raise
        if connection.finish():
            self._idle[key].append(connection)
        else:
            connection.close()
        return answer

    async def _connect(self, route: Route) -> tuple[_Key, _Connection]:
        target = route.target
        failure: OSError | None = None
        for address in route.addresses:
            try:
                reader, writer = await asyncio.open_connection(
                    address,
                    target.port,
                    ssl=self._tls if target.is_https else None,
                    server_hostname=target.host if target.is_https else None,
                )
            except OSError as error:
                failure = error
            else:
                return _key(target, address), _Connection(reader, writer)
        assert failure is not None, "a route has an address"
        raise failure

    def _take_idle(self, route: Route) -> tuple[_Key, _Connection | None]:
        key = _key(route.target, route.addresses[0])
        for address in route.addresses:
            key = _key(route.target, address)
            idle = self._idle.get(key, [])
            while idle:
                connection = idle.pop()
                if connection.is_usable():
                    return key, connection
                connection.close()
        return key, None

    def close_idle(self, *, older_than: float = _KEEP_IDLE) -> None:
        """Closes what nobody used for so many seconds. To be called now and then."""
        limit = time.monotonic() - older_than
        for key, connections in list(self._idle.items()):
            for connection in [found for found in connections if found.idle_since <= limit]:
                connections.remove(connection)
                connection.close()
            if not connections:
                del self._idle[key]


def _key(target: Target, address: str) -> _Key:
    return target.scheme, target.host, target.port, address
