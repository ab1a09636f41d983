"""Where a benchmark runs: an embedded database of its own, and processes that end with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from config import database, env
from config.processes import die_with_parent


@dataclass
class Place:
    data_dir: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, **given: str) -> dict[str, str]:
        return os.environ | {
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": "",
            "WEBHOOK_ALLOW_PRIVATE_NETWORKS": "true",
            "PYTHONPATH": str(env.BASE_DIR),
            **given,
        }

    @property
    def log(self) -> Path:
        return self.data_dir / "log"

    @property
    def database_pid(self) -> int:
        """Of the process that all of the database's descend from."""
        return int((self.data_dir / "keeper.lock").read_text())

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """A Python process that runs until the place is left."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=env.BASE_DIR,
                env=self.environment(**environment),
                stdout=log,
                stderr=log,
                # Also when this process is killed.
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
            )
        self.processes.append(process)
        return process

    def run(self, *command: str, **environment: str) -> str:
        """What a Python process prints. Raises CalledProcessError."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=env.BASE_DIR,
            env=self.environment(**environment),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout


@contextmanager
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="ocp-benchmark-"))
    folder.chmod(0o711)  # PostgreSQL's user has to pass through
    made = Place(folder)
    try:
        database.start(folder)
        made.run("manage.py", "migrate", "-v0")
        yield made
    finally:
        for process in made.processes:
            process.kill()
            process.wait()
        database.stop(folder, immediate=True)
        database.release()
        shutil.rmtree(folder, ignore_errors=True)
