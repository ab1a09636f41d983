"""Waiting for what another process is about to do."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg


def eventually(condition: Callable[[], object], seconds: float = 40) -> bool:
    """Whether it came true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def takes_connections(url: str) -> bool:
    """Whether a database, or what stands before one, does."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
