"""Statements that are written out, where it shows what the ORM costs: putting a query together takes longer
than the database takes to answer it, and so does planning it anew each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db import connection
from psycopg import Cursor
from psycopg.pq import Format

Values = Mapping[str, Any] | Sequence[Any]


def fetch(statement: str, values: Values) -> list[tuple[Any, ...]]:
    """The rows that it returns."""
    with _cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(statement: str, values: Values) -> int:
    """The number of rows that it touched."""
    with _cursor() as cursor:
        cursor.execute(statement, values)
        count: int = cursor.rowcount
        return count


def _cursor() -> AbstractContextManager[Any]:
    """Django's own sends the values within the statement, which is another one each time. This one sends them
    apart, so that the connection prepares what comes again."""
    connection.ensure_connection()
    cursor = Cursor(connection.connection)
    cursor.format = Format.BINARY
    return connection._prepare_cursor(cursor)  # type: ignore[attr-defined,no-any-return]
