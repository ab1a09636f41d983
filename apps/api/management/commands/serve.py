"""Everything in the foreground: database, migrations, demo team, and each process of the Procfile."""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import IO, Any, NoReturn

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.access.demo_bot import PROGRAM
from apps.access.management.commands.demo import demo_bot_environment
from config import database, env
from config.processes import die_with_parent
from config.web import require_free_port

# Seconds: for the server to answer first, and for everything to end.
_START = 60.0
_STOP = 4.5
# Any number, if only no other lock of ours has it.
_STARTING = 4_116_031
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    help = "Start everything, and stop everything on Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--stop-with-parent", action="store_true", help="Also stop when the calling process ends."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_free_port(env.HOST, env.PORT)
        _stop_on_signals()
        if options["stop_with_parent"]:
            die_with_parent(os.getppid(), signal.SIGTERM)
        children: dict[str, subprocess.Popen[str]] = {}
        helpers: list[subprocess.Popen[str]] = []
        try:
            bot = self._prepare()
            commands = _procfile()
            # A signal between a child's start and its entry here would leave it behind; one while
            # `subprocess` holds a lock of its own would have us wait for that child for ever.
            with _signals_later():
                if bot:
                    helpers.append(_spawn("bot", [sys.executable, str(PROGRAM)], environment=bot))
                for name, command in commands.items():
                    children[name] = _spawn(name, command)
                self._wait_until_ready(children)
                while True:
                    _require_all(children)
                    _sleep(0.2)
        finally:
            _end([*children.values(), *helpers])

    def _prepare(self) -> dict[str, str] | None:
        """Returns what the demo's bot is to be started with, if it is."""
        if not env.DATABASE_URL:
            database.start(env.DATA_DIR)
        with connection.cursor() as cursor:
            # Until the connection ends. Migrations of two servers that start at once would collide.
            cursor.execute("SELECT pg_advisory_lock(%s)", [_STARTING])
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if pending:
            call_command("migrate", verbosity=0)
            self.stdout.write(f"The database is ready: {len(pending)} migrations applied.")
        call_command("demo", stdout=self.stdout)
        bot = demo_bot_environment()
        _disconnect()
        self.stdout.flush()
        return bot

    def _wait_until_ready(self, children: dict[str, subprocess.Popen[str]]) -> None:
        deadline = time.monotonic() + _START
        while not _answers():
            _require_all(children)
            if time.monotonic() > deadline:
                raise CommandError(f"The web server did not answer within {_START:.0f} seconds.")
            _sleep(0.05)
        self.stdout.write(f"Ready on http://{_bracketed(env.HOST)}:{env.PORT}")
        self.stdout.flush()


def _stop_on_signals() -> None:
    for each in _SIGNALS:
        # Under nohup, SIGHUP stays ignored.
        if each is not signal.SIGHUP or signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _stop)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # What follows takes seconds at most.
    raise SystemExit(0)


@contextmanager
def _signals_later() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _sleep(seconds: float) -> None:
    """Where a signal that came later may stop us."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    try:
        time.sleep(seconds)
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def _procfile() -> dict[str, list[str]]:
    commands = {}
    for line in (env.BASE_DIR / "Procfile").read_text().splitlines():
        name, _, command = line.partition(":")
        commands[name] = [sys.executable if word == "python" else word for word in shlex.split(command)]
    return commands


def _spawn(
    name: str, command: list[str], *, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        command,
        cwd=env.BASE_DIR,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=partial(_in_child, os.getpid()),
    )
    if child.stdout:
        threading.Thread(target=_copy_lines, args=(name, child.stdout), daemon=True).start()
    return child


def _in_child(parent: int) -> None:
    die_with_parent(parent, signal.SIGTERM)
    # On Ctrl-C we send it SIGTERM: Python, while it starts, would answer the one with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _copy_lines(name: str, lines: IO[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{name} | {line}")
        sys.stdout.flush()


def _require_all(children: dict[str, subprocess.Popen[str]]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise CommandError(f"The process {name} ended with status {child.returncode}.")


def _answers() -> bool:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(env.HOST, env.HOST)  # noqa: S104 (compared, not bound)
    try:
        asked = http.client.HTTPConnection(local, env.PORT, timeout=2)
        asked.request("GET", "/health/live")
        asked.getresponse()
        asked.close()
    except (OSError, http.client.HTTPException):
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _end(children: list[subprocess.Popen[str]]) -> None:
    """Within `_STOP` seconds, the database included where nobody else uses it."""
    deadline = time.monotonic() + _STOP
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(max(deadline - 0.5 - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    _disconnect()
    database.release(wait=deadline - time.monotonic())


def _disconnect() -> None:
    connection.close()
