"""Public identifiers."""

import os
import time
import uuid


def uuid7() -> uuid.UUID:
    """A UUID that sorts by its time of making (RFC 9562, 5.7).

    New rows then land at one end of the index on the public id, which stays in memory: with random
    identifiers each insert touches a page of its own once the table is large.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    return uuid.UUID(int=value & ~(0x3 << 62) | (0x2 << 62))
