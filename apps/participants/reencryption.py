"""Moves every sealed value of the database to the first key of the ring, while others read and write."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from psycopg import sql

from apps import encryption
from apps.encryption import SealedField

BATCH_ROWS = 500
BATCH_BYTES = 8 * 1024 * 1024
# A pass leaves what somebody writes at that moment to the next. Only a process that still encrypts with
# another key can keep this from coming to an end.
PASSES = 10
PAUSE_SECONDS = 0.2

_COUNT = sql.SQL("SELECT count(*) FROM {table} WHERE substring({value} FROM 1 FOR {length}) <> %(header)s")

_BATCH = sql.SQL("""
    SELECT {key}, {value}, {bound}
      FROM (SELECT *, sum(octet_length({value})) OVER (ORDER BY {key}) - octet_length({value}) AS bytes_before
              FROM {table}
             WHERE {key} > %(after)s AND substring({value} FROM 1 FOR {length}) <> %(header)s
             ORDER BY {key} LIMIT %(rows)s) AS batch
     WHERE bytes_before < %(bytes)s
     ORDER BY {key}
""")

# Compares and sets, so that no write is lost. It passes over a row that somebody is writing rather than
# wait: two who wait for each other's rows would be a deadlock, and the other one is a caller.
_MOVE = sql.SQL("""
    WITH moved AS (
        SELECT t.{key} AS key, new
          FROM {table} AS t
          JOIN unnest(%(keys)s::bigint[], %(old)s::bytea[], %(new)s::bytea[]) AS sealed (key, old, new)
            ON t.{key} = sealed.key AND t.{value} = sealed.old
           FOR NO KEY UPDATE OF t SKIP LOCKED
    )
    UPDATE {table} AS t SET {value} = new FROM moved WHERE t.{key} = moved.key
""")


@dataclass(slots=True)
class Report:
    """What became of one column. `unreadable` holds the primary keys of values that do not open;
    `left` counts those that others kept writing under another key."""

    column: str
    moved: int = 0
    unreadable: list[int] = field(default_factory=list)
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Value:
    key: int
    sealed: bytes
    binding: bytes


def count_to_move() -> int:
    """How many values are not under the first key."""
    return sum(_count(column) for column in encryption.sealed_fields())


def reencrypt(*, on_moved: Callable[[int], object]) -> list[Report]:
    """Moves all that opens, in batches of a statement each; what is done stays done when it is stopped.

    `on_moved` is told how many values each batch moved.
    """
    return [_reencrypt_column(column, on_moved) for column in encryption.sealed_fields()]


def _reencrypt_column(column: SealedField, on_moved: Callable[[int], object]) -> Report:
    report = Report(f"{column.model._meta.label}.{column.name}")
    for number in range(PASSES):
        if number:
            time.sleep(PAUSE_SECONDS)
        report.unreadable = []
        report.left = 0
        _move_all(column, report, on_moved)
        if not report.left:
            break
    return report


def _move_all(column: SealedField, report: Report, on_moved: Callable[[int], object]) -> None:
    after = -1
    while batch := _batch(column, after):
        after = batch[-1].key
        new = {value: text for value in batch if (text := _reseal(value)) is not None}
        moved = _move(column, new) if new else 0
        report.moved += moved
        report.left += len(new) - moved
        report.unreadable += [value.key for value in batch if value not in new]
        on_moved(moved)


def _reseal(value: _Value) -> bytes | None:
    try:
        text = encryption.unseal(value.sealed, binding=value.binding)
    except encryption.Unreadable:
        return None
    return encryption.seal(text, binding=value.binding)


def _names(column: SealedField) -> dict[str, Any]:
    fields = {field.attname: field.column for field in column.model._meta.concrete_fields}
    assert column.model._meta.pk is not None
    return {
        "table": sql.Identifier(column.model._meta.db_table),
        "key": sql.Identifier(column.model._meta.pk.attname),
        "value": sql.Identifier(column.column),
        "bound": sql.SQL(", ").join(sql.Identifier(fields[name]) for name in column.bound_to),
        "length": sql.Literal(encryption.HEADER_LENGTH),
    }


def _count(column: SealedField) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(**_names(column)), {"header": encryption.current_header()})
        return int(cursor.fetchone()[0])


def _batch(column: SealedField, after: int) -> list[_Value]:
    limits: dict[str, Any] = {
        "header": encryption.current_header(),
        "after": after,
        "rows": BATCH_ROWS,
        "bytes": BATCH_BYTES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BATCH.format(**_names(column)), limits)
        return [
            _Value(key, bytes(sealed), column.binding(*bound)) for key, sealed, *bound in cursor.fetchall()
        ]


def _move(column: SealedField, new: dict[_Value, bytes]) -> int:
    values: dict[str, Any] = {
        "keys": [value.key for value in new],
        "old": [value.sealed for value in new],
        "new": list(new.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE.format(**_names(column)), values)
        return int(cursor.rowcount)
