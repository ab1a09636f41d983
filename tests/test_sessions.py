"""Sessions of the database do not outlive their clients for long. tests/hosts shows it across a network."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from django.db import connection

from config.postgres import sessions
from tests.server import served_database_url

LIMIT = "SHOW idle_in_transaction_session_timeout"


@pytest.mark.django_db
def test_one_of_django_asks_for_it():
    with connection.cursor() as cursor:
        cursor.execute(LIMIT)
        assert cursor.fetchone() == ("1min",)


@pytest.mark.django_db
@pytest.mark.parametrize("autocommit", [True, False])
def test_one_of_a_pool_of_psycopgs_own_asks_for_it_and_is_left_as_it_was(autocommit):
    async def run() -> None:
        address = served_database_url()
        async with await psycopg.AsyncConnection.connect(address, autocommit=autocommit) as other:
            await sessions.prepare(other)
            assert other.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            assert await (await other.execute(LIMIT)).fetchone() == ("1min",)

    asyncio.run(run())
