"""Dockerfile, docker-compose.yml and Procfile: every command line in them runs, here and without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from typing import Any

import pytest
import yaml
from django.conf import settings

from config import env
from tests.server import serve, served_database_url

ROOT = env.BASE_DIR


@cache
def dockerfile() -> list[tuple[str, str]]:
    """(instruction, arguments), continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def arguments(instruction: str) -> list[str]:
    return [rest for name, rest in dockerfile() if name == instruction]


def command(text: str) -> list[str]:
    """A command of a container, with this Python."""
    parts: list[str] = json.loads(text[text.index("[") :])
    assert parts[0] == "python"
    return [sys.executable, *parts[1:]]


@cache
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def run(parts: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        parts, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )


def secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": settings.SECRET_KEY,
        "DATA_ENCRYPTION_KEYS": ",".join(settings.DATA_ENCRYPTION_KEYS),
    }


class TestDockerfile:
    def test_it_starts_the_same_server_as_the_procfile(self):
        (started,) = arguments("CMD")
        procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
        assert shlex.split(procfile["web"]) == json.loads(started)

    @pytest.mark.django_db(transaction=True)
    def test_its_health_check_tells_a_healthy_server_from_none(self):
        (check,) = arguments("HEALTHCHECK")
        with serve(DATABASE_URL=served_database_url(), **secrets()) as running:
            assert run(command(check), PORT=str(running.port)).returncode == 0
        assert run(command(check), PORT=str(running.port)).returncode == 1

    def test_it_installs_the_locked_set(self):
        (pip,) = [rest for rest in arguments("RUN") if "pip install" in rest]
        source, target = next(rest.split() for rest in arguments("COPY") if "requirements" in rest)
        parts = shlex.split(pip.replace(target, source).replace("/venv/bin/pip", "-m pip"))
        # Installed already, for the tests: that is seen without asking anyone.
        done = run([sys.executable, *parts, "--dry-run", "--no-index", "--quiet", "--quiet"])
        assert done.returncode == 0, done.stderr

    def test_its_other_steps_are_programs_of_the_image(self):
        for step in arguments("RUN"):
            for part in step.split("&&"):
                program = shlex.split(part)[0]
                assert program in ("python", "/venv/bin/pip", "/venv/bin/python", "useradd", "install")

    def test_it_does_not_run_as_root(self):
        assert arguments("USER") == ["app"]

    def test_the_image_holds_all_that_the_server_needs_and_no_more(self):
        patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"]
        kept = [line[1:] for line in patterns if line.startswith("!")]
        assert "*" in patterns
        for name in ("apps", "config", "manage.py", "requirements/base.txt"):
            assert any(fnmatch(name, pattern) for pattern in kept)
            assert (ROOT / name).exists()
        for name in (".env", ".git", ".data", "tests"):
            assert not any(fnmatch(name, pattern) for pattern in kept)


class TestCompose:
    def test_web_starts_after_migrate_and_migrate_after_the_database(self):
        services = compose()["services"]
        conditions = {name: service.get("depends_on", {}) for name, service in services.items()}
        assert conditions == {
            "database": {},
            "migrate": {"database": {"condition": "service_healthy"}},
            "web": {"migrate": {"condition": "service_completed_successfully"}},
            "worker": {"migrate": {"condition": "service_completed_successfully"}},
        }

    def test_its_worker_is_the_procfiles(self):
        procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
        assert shlex.split(procfile["worker"]) == compose()["services"]["worker"]["command"]

    def test_its_volumes_hold_what_must_last(self):
        services = compose()["services"]
        mounted = {mount for service in services.values() for mount in service["volumes"]}
        assert mounted == {"database:/var/lib/postgresql", "data:/data"}
        assert {mount.split(":")[0] for mount in mounted} == set(compose()["volumes"])
        assert f"DATA_DIR={services['web']['environment']['DATA_DIR']}" in arguments("ENV")[0]

    def test_it_needs_no_file(self):
        for name in ("migrate", "web", "worker"):
            service = compose()["services"][name]
            assert all(not file["required"] for file in service["env_file"])
        text = (ROOT / "docker-compose.yml").read_text()
        assert all(":-" in variable for variable in re.findall(r"\$\{(\w+[^}]*)", text))

    def test_its_variables_are_ours(self):
        given = compose()["services"]["web"]["environment"]
        assert set(given) <= set(env.VARIABLES)

    def test_the_database_is_the_one_that_is_asked_for(self):
        database = compose()["services"]["database"]
        url = compose()["services"]["web"]["environment"]["DATABASE_URL"]
        user = database["environment"]["POSTGRES_USER"]
        assert url.startswith(f"${{DATABASE_URL:-postgresql://{user}:")
        assert url.endswith(f"@database:5432/{database['environment']['POSTGRES_DB']}}}")
        assert f"--username={user}" in database["healthcheck"]["test"]

    @pytest.mark.django_db(transaction=True)
    def test_migrate_runs(self):
        parts = compose()["services"]["migrate"]["command"]
        assert parts[0] == "python"
        done = run([sys.executable, *parts[1:]], DATABASE_URL=served_database_url(), **secrets())
        assert done.returncode == 0, done.stderr
        assert "No migrations to apply" in done.stdout


def test_the_locked_sets_name_no_index_and_no_path_of_a_machine():
    for name in ("base", "dev"):
        lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
        assert not [line for line in lines if "://" in line or line.startswith("--")]
        assert not [line for line in lines if re.search(r"(^|\s)/\w", line)]
        pinned = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert pinned and all("==" in line and line.endswith("\\") for line in pinned)
