"""The environment and the database server of the tests.

A plugin that pyproject.toml names, not a conftest: it must run before pytest-django reads the settings.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from config import env

# xdist's workers inherit the environment, and use the server of the process that started them.
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ


def _isolate() -> None:
    """Take away every variable of the project, so that no developer's setting changes a test."""
    server = env.TEST_DATABASE_URL
    for name in env.VARIABLES:
        os.environ.pop(name, None)
    data_dir = Path(tempfile.mkdtemp(prefix="ocp-tests-"))
    data_dir.chmod(0o711)  # For root, PostgreSQL runs as another user, who passes through.
    os.environ["DATA_DIR"] = str(data_dir)
    if server:
        os.environ["DATABASE_URL"] = server
    importlib.reload(env)


if not IS_WORKER:
    _isolate()


def pytest_configure(config: pytest.Config) -> None:
    if not IS_WORKER and not env.DATABASE_URL:
        from config import database

        database.start(env.DATA_DIR, durable=False)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if IS_WORKER:
        return
    from config import database

    database.release(wait=10)
    shutil.rmtree(env.DATA_DIR, ignore_errors=True)
