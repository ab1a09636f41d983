"""The rules of docs/ARCHITECTURE.md that a program can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from apps.teams.models import TeamOwned
from config import env

ROOT = env.BASE_DIR
MOST_LINES = 350

# Where the environment is touched besides config/env.py, and why.
ENVIRONMENT = {
    "config/wsgi.py": "names the settings for Django",
    "manage.py": "names the settings for Django",
    "apps/api/management/commands/serve.py": "hands its own environment on to the processes that it starts",
}

# Reads of a team's table that do not start with for_team, and why each sees no other team's rows.
READS = {
    "apps/access/invitations.py: Invitation.select_related": "the secret of the link says which team",
    "apps/access/management/commands/demo.py: Chatbot.select_related": "the demo's own, by the id that it kept",
    "apps/console/participants.py: ParticipantData.select_related": "of a participant that was found in its team",
    "apps/access/services.py: ApiKey.filter": "the key that this request was let in by, and one that a form shows",
    "apps/access/embedding.py: EmbedKey.filter": "one that a form shows, and who may ask from which origin",
    "apps/access/embedding.py: EmbedKey.select_related": "the key that this request comes with says the team",
    "apps/access/embedding.py: IdentitySecret.filter": "of a chatbot that was found in its team",
    "apps/access/embedding.py: IdentitySecret.update_or_create": "of a chatbot that was found in its team",
}

# Statements on a team's table that name no team, and why each does no team a wrong.
STATEMENTS = {
    "apps/schedules/claims.py": "a worker serves all teams; rows are joined by their keys, which hold to one team",
    "apps/schedules/health.py": "a worker's, on the endpoints of the rows that it claimed",
    "apps/schedules/services.py": "on the one row that was found in its team",
}


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(), filename=str(path)))


def test_imports_run_one_way():
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", sources("apps", "config"), ids=name_of)
def test_a_file_is_one_idea(path):
    lines = len(path.read_text().splitlines())
    assert lines <= MOST_LINES, "split it by idea"


def test_the_environment_is_read_in_one_file():
    found = set()
    for path in [*sources("apps", "config"), ROOT / "manage.py"]:
        for node in nodes(path):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"):
                found.add(name_of(path))
            if isinstance(node, ast.ImportFrom) and node.module == "os":
                found |= {name_of(path) for alias in node.names if alias.name in ("environ", "getenv")}
    assert "config/env.py" in found
    assert found - {"config/env.py"} <= ENVIRONMENT.keys(), "declare it in config/env.py"


def table_row(variable: env.Variable) -> str:
    default = f"`{variable.default}`" if variable.default else ""
    return f"| `{variable.name}` | {default} | {variable.help} |"


@pytest.mark.parametrize("name", env.VARIABLES)
def test_a_setting_stands_in_the_documentation(name):
    rows = (ROOT / "docs" / "settings.md").read_text().splitlines()
    assert table_row(env.VARIABLES[name]) in rows, "copy the row that is missing into docs/settings.md"


def test_the_documentation_has_no_setting_that_is_gone():
    rows = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(env.VARIABLES)


def team_owned() -> dict[str, str]:
    """Model name -> table, of all that belongs to a team."""
    return {m.__name__: m._meta.db_table for m in apps.get_models() if issubclass(m, TeamOwned)}


def names_team(call: ast.Call | None) -> bool:
    return call is not None and any(keyword.arg == "team" for keyword in call.keywords)


def unscoped_reads(path: Path) -> Iterator[str]:
    """`Model.objects.method` of a team's model, unless it is for_team, or makes a row, or names the team."""
    tree = ast.parse(path.read_text())
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    models = team_owned()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)):
            continue
        manager, model = node.value, node.value.value
        if manager.attr not in ("objects", "_default_manager", "_base_manager"):
            continue
        if not (isinstance(model, ast.Name) and model.id in models):
            continue
        if node.attr not in ("for_team", "create", "none") and not names_team(calls.get(id(node))):
            yield f"{name_of(path)}: {model.id}.{node.attr}"


def test_every_read_of_a_teams_table_starts_with_the_team():
    found = {read for path in sources("apps") for read in unscoped_reads(path)}
    assert found - READS.keys() == set(), "start with objects.for_team(team), or give the reason here"
    assert READS.keys() - found == set(), "these are gone"


def test_every_statement_on_a_teams_table_names_the_team():
    tables = "|".join(team_owned().values())
    on_table = re.compile(rf"\b(FROM|JOIN|UPDATE|INTO)\s+({tables})\b", re.IGNORECASE)
    wanting = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources("apps")
        for node in nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if on_table.search(node.value) and "team_id" not in node.value
    ]
    files = {place.partition(":")[0] for place in wanting}
    assert [place for place in wanting if place.partition(":")[0] not in STATEMENTS] == []
    assert STATEMENTS.keys() - files == set(), "these are gone"
