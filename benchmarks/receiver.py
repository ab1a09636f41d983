"""A receiver of webhooks that costs as little as it can: `python benchmarks/receiver.py PORT FILE`.

It answers 200 and appends `webhook-id time` to the file, line by line, as they come.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer(asyncio.Protocol):
    def __init__(self, write) -> None:
        self.write = write
        self.received = b""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].lower()
            length = int(value(head, b"content-length:"))
            if len(self.received) < end + 4 + length:
                return
            self.received = self.received[end + 4 + length :]
            self.write(f"{value(head, b'webhook-id:').decode()} {time.time():.6f}\n")
            self.transport.write(ANSWER)


def value(head: bytes, name: bytes) -> bytes:
    start = head.index(name) + len(name)
    return head[start:].split(b"\r\n", 1)[0].strip()


async def main(port: int, file: Path) -> None:
    with file.open("a", buffering=1) as got:
        server = await asyncio.get_running_loop().create_server(
            lambda: Peer(got.write), "127.0.0.1", port, backlog=4096
        )
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
