"""The embedded PostgreSQL: one server for all processes that use one `DATA_DIR`.

Who lives is told by file locks, which the kernel drops however a process ends:

- `users.lock`, shared: every process that uses the server holds it for its whole life.
- `keeper.lock`: the keeper, a small process of its own that is the server's parent. It waits for
  `users.lock` to be its alone, and then stops the server and ends. When the keeper is killed, the kernel
  tells the server to stop.
- `start.lock`: whoever starts or stops the server, one at a time.

A server that was stopped on purpose is not started again by processes that run; the next `start()` does.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

from config import cluster, env
from config.cluster import SUPERUSER as SUPERUSER
from config.cluster import socket_dir as socket_dir
from config.errors import SettingError, StartError
from config.processes import die_with_parent

NAME = "participants"
_PATIENCE = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # Several processes, with a connection for each thread.
    "max_connections": "200",
    # Statements here last milliseconds; compiling one takes longer.
    "jit": "off",
    # LOG and FATAL, not ERROR: refused statements are ours to report, and quote participant data.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
# Still nothing is lost when processes are killed, only when the machine is.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


def _shared_buffers() -> str:
    """An eighth of the memory, at most a gigabyte: the indexes of a million participants with their entries
    and schedules. It is taken up only as far as there is data."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(max(memory // 8, 128 * 2**20), 2**30) // 2**20}MB"


_users: dict[Path, int] = {}
_guard = threading.Lock()


def start(data_dir: Path, *, durable: bool = True) -> str:
    """Have the server run for as long as this process lives. Returns its `postgresql://` address.

    Cheap when it runs already. Raises SettingError or StartError. `durable=False` may lose data when the
    machine fails: for tests.
    """
    with _guard:
        joined = data_dir not in _users
        try:
            cluster.make_data_dir(data_dir)
            if joined:
                _users[data_dir] = _lock(data_dir, "users.lock", fcntl.LOCK_SH)
            with _starting(data_dir):
                _ensure_server(data_dir, durable=durable)
                _ensure_database(data_dir)
        except BaseException:
            if joined and data_dir in _users:
                os.close(_users.pop(data_dir))
            raise
    return url(data_dir)


def stop(data_dir: Path, *, immediate: bool = False) -> None:
    """Stop the server now, whoever uses it. `immediate` as if it had crashed. Raises StartError."""
    if not data_dir.is_dir():
        return
    with _starting(data_dir):
        steps = [signal.SIGQUIT] if immediate else [signal.SIGTERM, signal.SIGQUIT]
        for step in [*steps, signal.SIGKILL]:
            pid = _keeper_pid(data_dir)
            if pid is None:
                break
            os.kill(pid, step)
            _wait(lambda: _keeper_pid(data_dir) is None, timeout=4)
        cluster.clear_leftovers(data_dir)


def release(data_dir: Path | None = None, *, wait: float = 0.0) -> None:
    """Use this server, or any, no more. Where nobody else does, wait up to so many seconds for it to stop."""
    with _guard:
        left = [each for each in _users if data_dir in (None, each)]
        for each in left:
            os.close(_users.pop(each))
    ending = [each for each in left if not _has_users(each)]
    _wait(lambda: not any(_is_held(each, "keeper.lock") for each in ending), timeout=wait)


def is_running(data_dir: Path) -> bool:
    """Whether the server takes connections."""
    import psycopg  # Slow to import, and the keeper does without.

    try:
        psycopg.connect(url(data_dir, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def url(data_dir: Path, name: str = NAME) -> str:
    # With the port: PGPORT in the environment would change the socket's name.
    return f"postgresql://{SUPERUSER}@:5432/{name}?host={quote(str(socket_dir(data_dir)), safe='')}"


def _ensure_server(data_dir: Path, *, durable: bool) -> None:
    deadline = time.monotonic() + _PATIENCE
    starts = 0
    while time.monotonic() < deadline:
        if not _is_held(data_dir, "keeper.lock"):
            # Backends of a server that was killed may need a moment to notice: try more than once.
            if starts == 3:
                raise StartError(_explain(data_dir))
            time.sleep(0.5 if starts else 0)
            _spawn_keeper(data_dir, durable=durable)
            starts += 1
        elif cluster.is_ready(data_dir) and is_running(data_dir):
            return
        time.sleep(0.02)
    raise StartError(_explain(data_dir))


def _spawn_keeper(data_dir: Path, *, durable: bool) -> None:
    account, binaries = cluster.prepare(data_dir, durable=durable)
    command = [sys.executable, "-m", "config.database", "keep", str(data_dir), str(binaries)]
    command += [str(account.uid), str(account.gid), "durable" if durable else "fast"]
    log = os.open(cluster.log_file(data_dir), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # Returns once the keeper, its child, has the lock.
        subprocess.run(
            command,
            cwd=env.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)


def _ensure_database(data_dir: Path) -> None:
    import psycopg

    with psycopg.connect(url(data_dir, "postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            connection.execute(f"CREATE DATABASE {NAME}")


def _explain(data_dir: Path) -> str:
    log = cluster.log_file(data_dir)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else ""
    return f"The embedded PostgreSQL did not start. The end of {log}:\n{last}"


def _lock(data_dir: Path, name: str, kind: int, timeout: float = _PATIENCE) -> int:
    """A descriptor that holds the lock until it is closed; forks share it, programs that are started don't.

    Not a file object: the lock is to last until the process ends, without a warning that it was left open.
    """
    try:
        # Whoever may open a lock can hold it for ever.
        descriptor = os.open(data_dir / name, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingError(
            f"{data_dir / name} can't be written ({error.strerror}): check DATA_DIR."
        ) from error
    if not _wait(lambda: _try_lock(descriptor, kind), timeout=timeout):
        os.close(descriptor)
        raise StartError(f"{data_dir / name} has been locked for {timeout:.0f} seconds by another process.")
    return descriptor


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _starting(data_dir: Path) -> Iterator[None]:
    descriptor = _lock(data_dir, "start.lock", fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _is_held(data_dir: Path, name: str) -> bool:
    path = data_dir / name
    if not path.exists():
        return False
    with path.open("rb") as file:
        return not _try_lock(file.fileno(), fcntl.LOCK_SH)


def _has_users(data_dir: Path) -> bool:
    """Whether some hold the lock shared. While nobody does, it is the keeper's, or about to be."""
    with (data_dir / "users.lock").open("rb") as file:
        return not _try_lock(file.fileno(), fcntl.LOCK_EX) and _try_lock(file.fileno(), fcntl.LOCK_SH)


def _keeper_pid(data_dir: Path) -> int | None:
    """While the lock is held, the number in it is the keeper's and nobody else's."""
    if not _is_held(data_dir, "keeper.lock"):
        return None
    return int((data_dir / "keeper.lock").read_text())


def _wait(is_done: Callable[[], bool], *, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not is_done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _keep(data_dir: Path, binaries: Path, account: cluster.Account, *, durable: bool) -> None:
    """The keeper. Returns at once in the process that was started, with the lock held by its child."""
    lock = _lock(data_dir, "keeper.lock", fcntl.LOCK_EX, timeout=2)
    pid = os.fork()
    if pid:
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(pid).encode(), 0)
        return
    os.chdir("/")
    cluster.clear_leftovers(data_dir)
    server = subprocess.Popen(
        _server_command(data_dir, binaries, durable=durable),
        env=cluster.environment(),
        preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGINT),
        **account.popen_options(),
    )
    signal.signal(signal.SIGTERM, lambda *_: server.send_signal(signal.SIGINT))
    signal.signal(signal.SIGQUIT, lambda *_: server.send_signal(signal.SIGQUIT))
    # However the server ends, so does this process; with it goes the lock.
    threading.Thread(target=lambda: os._exit(server.wait()), daemon=True).start()
    with (data_dir / "users.lock").open("rb") as users:
        fcntl.flock(users, fcntl.LOCK_EX)  # Nobody uses the server any more.
        for step in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            server.send_signal(step)
            time.sleep(3)


def _server_command(data_dir: Path, binaries: Path, *, durable: bool) -> list[str]:
    settings = _SETTINGS | {
        "unix_socket_directories": str(socket_dir(data_dir)),
        "shared_buffers": _shared_buffers(),
    }
    if not durable:
        settings |= _NOT_DURABLE
    command = [str(binaries / "postgres"), "-D", str(cluster.pgdata(data_dir))]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return command


def _main(arguments: list[str]) -> None:
    if arguments[:1] == ["keep"]:
        data_dir, binaries, uid, gid, mode = arguments[1:]
        account = cluster.Account(int(uid), int(gid))
        _keep(Path(data_dir), Path(binaries), account, durable=mode == "durable")
    elif arguments == ["stop"]:
        stop(env.DATA_DIR)
    elif arguments == ["status"]:
        state = "runs" if is_running(env.DATA_DIR) else "does not run"
        sys.stdout.write(f"The embedded PostgreSQL {state}: {url(env.DATA_DIR)}\n")
    else:
        raise SettingError("usage: python -m config.database stop|status")


if __name__ == "__main__":
    _main(sys.argv[1:])
