"""How many statements a request costs by the log of the database: BEGIN, COMMIT and the credential too."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg

from config import cluster, database

from .load import Run
from .place import Place

_STATEMENT = re.compile(rb"LOG:  (?:statement|execute [^:]+):")


def statements(run: Place, ask: Callable[[], Run]) -> float:
    """On average, while `ask` runs."""
    log = cluster.log_file(run.data_dir)
    _set(run, "ALTER SYSTEM SET log_statement = 'all'")
    before = log.stat().st_size
    try:
        done = ask()
    finally:
        _set(run, "ALTER SYSTEM RESET log_statement")
    with log.open("rb") as file:
        file.seek(before)
        found = len(_STATEMENT.findall(file.read()))
    return found / done.requests


def _set(run: Place, statement: str) -> None:
    with psycopg.connect(database.url(run.data_dir), autocommit=True) as connection:
        connection.execute(statement)
        connection.execute("SELECT pg_reload_conf()")
