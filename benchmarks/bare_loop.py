"""What the client of the worker does without a worker: `python benchmarks/bare_loop.py URL COUNT AT_ONCE`."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from apps.chatbots.endpoints import parse
from apps.schedules.outbound import Outbound

# As long as the body and headers of a delivery.
BODY = json.dumps({"type": "schedule.triggered", "data": "x" * 520}).encode()
HEADERS = [
    ("Content-Type", "application/json"),
    ("User-Agent", "open-chat-participants"),
    ("webhook-id", "msg_00000000000000000000000000000000_1"),
    ("webhook-timestamp", "1700000000"),
    ("webhook-signature", "v1," + "x" * 44),
]


async def main(url: str, count: int, at_once: int) -> None:
    outbound = Outbound(allow_private=True)
    route = await outbound.route(parse(url))
    numbers = iter(range(count))

    async def post() -> None:
        for _ in numbers:
            await outbound.post(route, HEADERS, BODY)

    began = time.time()
    await asyncio.gather(*(post() for _ in range(at_once)))
    print(f"{began} {time.time()}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
