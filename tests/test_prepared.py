"""Statements are prepared where a connection is a session of the database, and not behind a pooler."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from apps.sql import fetch
from config import cluster
from tests.fixtures import Workspace
from tests.server import free_port, serve
from tests.waiting import eventually, takes_connections

pytestmark = pytest.mark.django_db(transaction=True)

POOLER = """
[databases]
{name} = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
# So few that a transaction often has another session than the last.
default_pool_size = 3
ignore_startup_parameters = extra_float_digits
"""


def test_what_comes_again_is_prepared():
    for number in range(7):
        assert fetch("SELECT %(number)s + 1 AS prepared_here", {"number": number}) == [(number + 1,)]
    found = fetch("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["%prepared_here%"])
    assert found == [(1,)]


@contextmanager
def pgbouncer() -> Iterator[str]:
    """PgBouncer in transaction mode before the test database. Its address."""
    at, port = connection.settings_dict, free_port()
    # Like PostgreSQL it refuses to run as root.
    account = {"user": cluster.SYSTEM_USER, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
        config.write(
            POOLER.format(
                name=at["NAME"], host=at["HOST"], port=at["PORT"] or 5432, user=at["USER"], listen=port
            )
        )
        config.flush()
        Path(config.name).chmod(0o644)
        process = subprocess.Popen(
            ["pgbouncer", "-q", config.name], cwd="/", stderr=subprocess.DEVNULL, **account
        )
        try:
            url = f"postgresql://{at['USER']}@127.0.0.1:{port}/{at['NAME']}"
            assert eventually(lambda: takes_connections(url)), "PgBouncer did not start"
            yield url
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.skipif(not shutil.which("pgbouncer"), reason="PgBouncer is not installed")
def test_nothing_is_prepared_behind_pgbouncer(workspace: Workspace, settings):
    secrets = {
        "SECRET_KEY": settings.SECRET_KEY,
        "DATA_ENCRYPTION_KEYS": ",".join(settings.DATA_ENCRYPTION_KEYS),
    }
    with (
        pgbouncer() as url,
        serve(DATABASE_URL=url, **secrets) as server,
        server.client(workspace.api.key) as client,
        ThreadPoolExecutor(8) as callers,
    ):

        def work(number: int) -> set[int]:
            body = {"identifier": f"p{number}", "data": [workspace.entry(data={"n": number})]}
            wrote = client.post("/api/participants", json=body)
            read = client.get("/api/participants", params={"identifier": f"p{number}"})
            assert [entry["data"] for entry in read.json()["results"][0]["data"]] == [{"n": number}]
            return {wrote.status_code, read.status_code}

        assert set().union(*callers.map(work, range(120))) == {200}
