"""Statements that are written out, where it shows what the ORM costs: putting a query together takes longer
than the database takes to answer it, and so does planning it anew each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Cursor
from psycopg.pq import Format

# The greatest page, and one row that tells whether there is another. A list has it written out besides its
# own limit, for the planner of the prepared statement: of one that comes later it knows nothing, and takes it
# for a tenth of the table.
MOST = 1501

Values = Mapping[str, Any] | Sequence[Any]


def fetch(statement: str, values: Values) -> list[tuple[Any, ...]]:
    """The rows that it returns. Raises django.db.Error."""
    database = _connected()
    with database.wrap_database_errors:
        return _cursor(database).execute(statement, values).fetchall()


def execute(statement: str, values: Values) -> int:
    """The number of rows that it touched. Raises django.db.Error."""
    database = _connected()
    with database.wrap_database_errors:
        return _cursor(database).execute(statement, values).rowcount


def _connected() -> BaseDatabaseWrapper:
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    return database


def _cursor(database: BaseDatabaseWrapper) -> Cursor[tuple[Any, ...]]:
    """Django's own puts the values into the statement, which is another one each time. This one sends them
    apart, so that the connection prepares what comes again."""
    cursor = Cursor(database.connection)
    cursor.format = Format.BINARY
    return cursor


def between(
    equal: Mapping[str, str],
    columns: Sequence[str],
    *,
    above: Sequence[str] | None,
    below: Sequence[str] | None,
) -> list[str]:
    """Conditions for the rows with these values whose columns are above, or below, or between others: one
    stretch of the index that has the columns in that order.

    Told that columns *equal* values, the planner takes such rows for evenly spread: it walks the primary key
    in their place, and reads all rows of others on its way. So the values are ends of the stretch too.
    """
    found = []
    for end, operators in ((above, (">", ">=")), (below, ("<", "<="))):
        names, values = list(equal), list(equal.values())
        if end is not None:
            names, values = [*names, *columns], [*values, *end]
        if names:
            operator = operators[0 if end is not None else 1]
            found.append(f"({', '.join(names)}) {operator} ({', '.join(values)})")
    return found
