"""The real web server, as a process of its own, for what a test client can't show.

`server` serves the test database: use it with `@pytest.mark.django_db(transaction=True)`, for it sees only
what is committed. `own_service` has a database of its own. `serve` starts another, with other settings.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import psycopg
import pytest
from django.conf import settings
from django.db import connection

from config import database
from config.processes import die_with_parent

START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Server:
    """A web server that answers at 127.0.0.1."""

    port: int
    log_file: Path
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, key: str | None = None, **options) -> httpx.Client:
        """Close it: use it with `with`."""
        headers = {"X-api-key": key} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=20, **options)

    def send(self, *parts: bytes, timeout: float = 20) -> bytes:
        """What comes back for these bytes, to the end. Ask for `Connection: close`."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as peer:
            try:
                for part in parts:
                    peer.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                pass  # It has answered already, and closed.
            received = b""
            try:
                while chunk := peer.recv(65536):
                    received += chunk
            except ConnectionResetError:
                pass
            return received

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


@contextmanager
def serve(**environment: str) -> Iterator[Server]:
    """`python -m config.web`, until the block ends. `environment` is added to that of the tests."""
    with tempfile.TemporaryDirectory(prefix="served-", ignore_cleanup_errors=True) as folder:
        port = free_port()
        log_file = Path(folder) / "log"
        given = {"PORT": str(port), "HOST": "127.0.0.1", "WEB_WORKERS": "1", "DATA_DIR": folder}
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "config.web"],
                cwd=settings.BASE_DIR,
                env=os.environ | given | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
            )
        try:
            wait_until_it_answers(port, process, log_file)
            yield Server(port, log_file, process.pid)
        finally:
            stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(port: int, process: subprocess.Popen[bytes], log_file: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health/live", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"The server did not start:\n{log_file.read_text()}")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def served_database_url() -> str:
    """Where the test database is, for another process."""
    at = connection.settings_dict
    query = {name: at[key] for name, key in (("host", "HOST"), ("port", "PORT")) if at[key]}
    password = f":{quote(at['PASSWORD'], safe='')}" if at["PASSWORD"] else ""
    return f"postgresql://{quote(at['USER'], safe='')}{password}@/{quote(at['NAME'])}?{urlencode(query)}"


@pytest.fixture(scope="session")
def server(django_db_setup) -> Iterator[Server]:
    """Serves the test database with the secrets of the tests: cursors and data can be read on both sides."""
    with serve(
        DATABASE_URL=served_database_url(),
        SECRET_KEY=settings.SECRET_KEY,
        DATA_ENCRYPTION_KEYS=",".join(settings.DATA_ENCRYPTION_KEYS),
    ) as running:
        yield running


@dataclass(frozen=True, slots=True)
class OwnService:
    """A web server with an embedded database of its own, which a test may stop, and start again."""

    server: Server
    data_dir: Path
    api_key: str
    chatbots: list[str]

    def client(self) -> httpx.Client:
        return self.server.client(self.api_key)

    def stop_database(self, *, immediate: bool = False) -> None:
        database.stop(self.data_dir, immediate=immediate)

    def start_database(self) -> None:
        """The web server keeps it running from then on."""
        database.start(self.data_dir)
        database.release(self.data_dir)

    def execute(self, statement: str) -> None:
        with psycopg.connect(database.url(self.data_dir), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def own_service() -> Iterator[OwnService]:
    """With the team "Own" and 50 chatbots."""
    data_dir = Path(tempfile.mkdtemp(prefix="ocp-own-"))
    data_dir.chmod(0o711)
    environment = {"DATA_DIR": str(data_dir), "DATABASE_URL": "", "WEB_THREADS": "8"}
    try:
        database.start(data_dir)  # so that it does not stop between the commands
        chatbots = [f"--chatbot=Bot {number}" for number in range(50)]
        made = json.loads(
            manage(environment, ["migrate", "-v0"], ["bootstrap", "--team=Own", "--json", *chatbots])
        )
        with serve(**environment) as running:
            database.release(data_dir)
            yield OwnService(running, data_dir, made["api_key"], [bot["id"] for bot in made["chatbots"]])
    finally:
        database.release(data_dir)
        database.stop(data_dir, immediate=True)
        shutil.rmtree(data_dir, ignore_errors=True)


def manage(environment: dict[str, str], *commands: list[str]) -> str:
    """What commands of manage.py print, one after the other in a process of their own."""
    program = (
        "import django, json, sys; django.setup(); from django.core.management import call_command\n"
        "for command in json.loads(sys.argv[1]): call_command(*command)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(commands)],
        cwd=settings.BASE_DIR,
        env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
