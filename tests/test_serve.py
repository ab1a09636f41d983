"""`manage.py serve`, which `make run` starts: the whole project as a user has it, stopped and killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from config import cluster, database, env
from tests.server import free_port
from tests.waiting import eventually

# Seconds. One is enough, and five are promised, on a machine that runs no other tests.
SOON = 15


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    data_dir: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def output(self) -> str:
        return self.log.read_text()

    def get(self, path: str) -> int:
        return httpx.get(self.url + path, trust_env=False, timeout=10).status_code

    def web(self) -> psutil.Process:
        return psutil.Process(self.process.pid).children()[0]

    def all_processes(self) -> list[psutil.Process]:
        """Its own, the web server's, the database's and its keeper."""
        keeper = psutil.Process(int((self.data_dir / "keeper.lock").read_text()))
        family = [psutil.Process(self.process.pid), keeper]
        return family + [child for each in family for child in each.children(recursive=True)]


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """Of all tests here: the first makes the database and the demo team, the others start a second time."""
    path = Path(tempfile.mkdtemp(prefix="ocp-serve-"))
    path.chmod(0o711)
    database.start(path, durable=False)  # Makes the cluster faster than the first of them would.
    database.release(path)
    database.stop(path)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def serve(data_dir, tmp_path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*, until: str = "Ready on", **environment: str) -> Running:
        port = free_port()
        log = tmp_path / f"log-{len(started)}"
        given = {"DATA_DIR": str(data_dir), "PORT": str(port), "WEB_WORKERS": "2"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=env.BASE_DIR,
                env=os.environ | {"DATABASE_URL": ""} | given | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                # Tests that run under nohup would hand on that it is ignored.
                preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),
            )
        running = Running(process, port, log, data_dir)
        started.append(running)
        assert eventually(lambda: until in running.output() or process.poll() is not None, 90)
        return running

    yield start
    for running in started:
        with suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()
    database.stop(data_dir, immediate=True)


def are_gone(processes: list[psutil.Process]) -> Callable[[], bool]:
    def is_gone(process: psutil.Process) -> bool:
        try:
            return process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return lambda: all(is_gone(process) for process in processes)


def answers(running: Running) -> bool:
    try:
        return running.get("/health/live") == 200
    except httpx.TransportError:
        return False


def takes_connections(port: int) -> bool:
    with socket.socket() as peer:
        return peer.connect_ex(("127.0.0.1", port)) == 0


class TestStop:
    @pytest.mark.parametrize(
        "stop",
        [
            pytest.param(lambda pid: os.killpg(pid, signal.SIGINT), id="Ctrl-C"),
            pytest.param(lambda pid: os.kill(pid, signal.SIGTERM), id="SIGTERM to serve alone"),
            pytest.param(lambda pid: os.kill(pid, signal.SIGHUP), id="SIGHUP to serve alone"),
        ],
    )
    def test_it_stops_everything_soon(self, serve, stop):
        running = serve()
        assert running.get("/health/ready") == 200
        processes = running.all_processes()
        assert len(processes) > 6
        stop(running.process.pid)
        assert running.process.wait(SOON) == 0
        assert are_gone(processes)()
        assert "Traceback" not in running.output()

    def test_it_does_not_wait_for_a_request_that_hangs(self, serve, data_dir):
        running = serve()
        with closing(psycopg.connect(database.url(data_dir))) as connection:
            connection.execute("LOCK TABLE django_migrations")
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(running.url + "/health/ready", trust_env=False, timeout=0.5)
            running.process.terminate()
            assert running.process.wait(SOON) == 0

    def test_it_stops_while_it_starts(self, serve):
        running = serve(until="API ")
        processes = running.all_processes()
        os.killpg(running.process.pid, signal.SIGINT)
        assert running.process.wait(SOON) == 0
        assert eventually(are_gone(processes), SOON)
        assert "Traceback" not in running.output()

    def test_it_stops_everything_when_one_process_ends(self, serve):
        running = serve()
        processes = running.all_processes()
        running.web().kill()
        assert running.process.wait(SOON) == 1
        assert eventually(are_gone(processes), SOON)
        assert "The process web ended with status -9." in running.output()


class TestKill:
    def test_nothing_of_it_lives_on(self, serve):
        running = serve()
        processes = running.all_processes()
        running.process.kill()
        running.process.wait()
        assert eventually(are_gone(processes), SOON)
        assert not takes_connections(running.port)

    def test_nothing_is_lost(self, serve, data_dir):
        running = serve()
        with psycopg.connect(database.url(data_dir)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (port int)")
            connection.execute("INSERT INTO kept VALUES (%s)", [running.port])
        for process in running.all_processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        running.process.wait()
        again = serve()
        assert again.get("/health/ready") == 200
        with psycopg.connect(database.url(data_dir)) as connection:
            kept = connection.execute("SELECT port FROM kept").fetchall()
        assert (running.port,) in kept

    def test_a_web_process_that_was_killed_is_replaced(self, serve):
        running = serve(WEB_WORKERS="1")
        worker = running.web().children()[0]
        worker.kill()
        assert eventually(lambda: answers(running), SOON)
        assert running.process.poll() is None

    def test_web_processes_do_not_outlive_their_server(self, serve):
        running = serve()
        web = running.web()
        workers = web.children()
        web.kill()
        assert eventually(are_gone(workers), SOON)


class TestOutage:
    def test_requests_fail_at_once_and_work_again_without_a_restart(self, serve, data_dir):
        running = serve(WEB_WORKERS="1")
        worker = running.web().children()[0].pid
        for _ in range(5):
            assert running.get("/health/ready") == 200
        database.stop(data_dir)
        for _ in range(3):
            asked = time.monotonic()
            assert running.get("/health/ready") == 503
            assert time.monotonic() - asked < 5
        assert running.get("/health/live") == 200
        try:
            database.start(data_dir)
            assert eventually(lambda: running.get("/health/ready") == 200, SOON)
            assert [running.get("/health/ready") for _ in range(10)] == [200] * 10
            assert running.web().children()[0].pid == worker
        finally:
            database.release(data_dir)


class TestOutput:
    def test_it_shows_where_everything_is(self, serve):
        output = serve().output()
        port = re.search(r"^Ready on http://127.0.0.1:(\d+)$", output, re.MULTILINE)
        assert port and f"http://127.0.0.1:{port[1]}/api/docs/" in output
        assert output.count("curl ") == 2
        assert "bot |" not in output, "webhooks may not go to this machine"

    def test_secrets_are_shown_once(self, serve, data_dir):
        serve().process.terminate()
        assert "password" not in serve().output().lower()

    @pytest.mark.parametrize("taken", ["127.0.0.1", "0.0.0.0"])
    def test_a_port_in_use_is_one_line(self, serve, taken):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind((taken, 0))
            other.listen()
            port = other.getsockname()[1]
            running = serve(PORT=str(port))
        assert running.process.wait() == 1
        (line,) = running.output().splitlines()
        assert line.startswith(f"Port {port} of 127.0.0.1 can't be used (Address already in use): set PORT")

    def test_an_unusable_directory_is_one_line(self, serve, tmp_path):
        (tmp_path / "file").touch()
        running = serve(DATA_DIR=str(tmp_path / "file" / "data"))
        assert running.process.wait() == 1
        (line,) = running.output().splitlines()
        assert "set DATA_DIR" in line

    def test_a_wrong_setting_is_one_line(self, serve):
        running = serve(PORT="eighty")
        assert running.process.wait() == 1
        assert running.output().splitlines() == ["PORT is 'eighty': it takes a whole number, 1 to 65535."]

    def test_the_log_of_the_database_lies_beside_it(self, serve, data_dir):
        serve()
        assert "ready to accept connections" in cluster.log_file(data_dir).read_text()


class TestDemoBot:
    def test_a_prompt_reaches_it_and_it_writes_back(self, serve):
        running = serve(WEBHOOK_ALLOW_PRIVATE_NETWORKS="true")
        (prompt,) = [line for line in running.output().splitlines() if "+5sec" in line]
        find = next(line for line in running.output().splitlines() if "identifier=ada" in line)
        assert subprocess.run(["sh", "-c", prompt.strip() + " -fsS"], timeout=20).returncode == 0
        said = re.compile(r"^bot \| Prompt for ada@example.org \(api\): Say hello to Ada\.$", re.MULTILINE)
        assert eventually(lambda: said.search(running.output()) is not None, 20)

        def kept() -> str:
            return subprocess.run(
                ["sh", "-c", find.strip() + " -fsS"], capture_output=True, text=True, timeout=20
            ).stdout

        assert eventually(lambda: '"last_prompt":"Say hello to Ada."' in kept(), 10)
