"""How the database goes about the API's reads, with many rows of this team, and newer ones of another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest
from django.db import connection

from apps.access import queries
from apps.participants import pages
from apps.participants.models import Participant
from apps.schedules import pages as schedule_pages
from apps.schedules import services
from apps.schedules.models import ScheduledMessage
from tests.fixtures import Workspace

MANY = 20_000
PAGE = 101
TABLES = {"participants_participant", "participants_participantdata", "schedules_scheduledmessage"}

_FILL = """
    INSERT INTO participants_participant
           (team_id, public_id, platform, identifier, name, remote_id, created_at, updated_at)
    SELECT %(team)s, gen_random_uuid(), CASE WHEN n %% 10 = 0 THEN 'telegram' ELSE 'api' END, 'p' || n, '', '',
           now(), now()
      FROM generate_series(1, %(many)s) n;
    INSERT INTO participants_participantdata
           (team_id, participant_id, chatbot_id, data, version, created_at, updated_at)
    SELECT p.team_id, p.id, c.id, sha512(p.identifier::bytea), 1, now(), now()
      FROM participants_participant p JOIN chatbots_chatbot c ON c.team_id = p.team_id
     WHERE p.team_id = %(team)s AND (p.id %% 100 = 0 OR c.id <> %(rare)s);
    INSERT INTO schedules_scheduledmessage
           (team_id, participant_id, chatbot_id, public_id, external_id, name, prompt, scheduled_for, due_at,
            status, attempts, created_at, updated_at)
    SELECT team_id, participant_id, chatbot_id, gen_random_uuid(), 's', 's', 's', now(),
           now() + participant_id %% 10 * interval '1 day', 'pending', 0, now(), now()
      FROM participants_participantdata WHERE team_id = %(team)s
"""


@pytest.fixture
def crowd(workspace: Workspace, other: Workspace) -> Workspace:
    """This team's people were all there before the other's. Its second chatbot has data of one in a hundred."""
    with connection.cursor() as cursor:
        for each in (workspace, other):
            values = {"team": each.team.pk, "many": MANY, "rare": each.bots[1].pk}
            cursor.execute(_FILL, values)
        cursor.execute("ANALYZE")
    return workspace


def plan(statement: str, values: dict[str, Any], mode: str) -> list[dict[str, Any]]:
    """The steps of a prepared statement's plan, as they were executed."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement)
    given = psycopg.sql.SQL(", ").join(psycopg.sql.Literal(values[name]) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL plan_cache_mode = force_{mode}_plan")
        cursor.execute(f"PREPARE asked AS {numbered}")
        asked = psycopg.sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ({})").format(given)
        cursor.execute(asked.as_string(connection.connection))
        (found,) = cursor.fetchone()
        cursor.execute("DEALLOCATE asked")
    return list(steps(found[0]["Plan"]))


def steps(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from steps(below)


def wasted(found: list[dict[str, Any]]) -> list[str]:
    """The steps that read or sorted more than a page of a table that grows."""
    return [
        f"{step['Node Type']} {step.get('Relation Name', '')} {step.get('Index Name', '')}"
        for step in found
        if (step["Node Type"] == "Seq Scan" and step["Relation Name"] in TABLES)
        or step["Actual Rows"] * step["Actual Loops"] > 3 * PAGE
        or step.get("Rows Removed by Filter", 0) > PAGE
    ]


FILTERS = [
    {},
    {"platform": "telegram"},
    {"chatbot": 0},
    {"chatbot": 1},
    {"identifier": "p77"},
    {"identifier": "P77", "lowered": "p77"},
    {"identifier": "p77", "platform": "api"},
    {"identifier": "p77", "chatbot": 0},
]
MODES = ("custom", "generic")


def test_a_page_is_read_and_no_more(crowd: Workspace):
    ids = Participant.objects.for_team(crowd.team).order_by("id").values_list("id", flat=True)
    places = {"first": None, "far inside": ids[MANY // 2], "none": ids[0]}
    found = {}
    for filters, place, is_backwards, mode in product(FILTERS, places, (False, True), MODES):
        values = filters | {"team": crowd.team.pk, "limit": PAGE}
        if places[place] is not None:
            values["beyond"] = places[place]
        if "chatbot" in filters:
            values["chatbot"] = crowd.bots[filters["chatbot"]].public_id
        statement = pages._statement(frozenset(values), is_backwards)
        if waste := wasted(plan(statement, values, mode)):
            found[f"{filters} {place} {'backwards' if is_backwards else ''} {mode}"] = waste
    assert found == {}


def test_a_page_of_schedules_is_read_and_no_more(crowd: Workspace, monkeypatch):
    """Not so newest first and within some moments: all rows of those moments are looked at."""
    rows = ScheduledMessage.objects.for_team(crowd.team).order_by("due_at", "id")
    middle = rows[MANY // 2]
    within = {"due_after": rows[PAGE].due_at, "due_before": middle.due_at}
    asked: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(schedule_pages, "fetch", lambda *statement: asked.append(statement) or [])
    for chatbot, status, is_backwards in product(
        [None, *crowd.bots], [None, "pending", "failed"], (False, True)
    ):
        given = {
            "team": crowd.team,
            "limit": PAGE,
            "chatbot": chatbot and chatbot.public_id,
            "status": status,
            "is_backwards": is_backwards,
        }
        soonest = {"is_soonest_first": True, "beyond": middle.id, "beyond_due_at": middle.due_at}
        for place in (
            {},
            {"beyond": middle.id},
            soonest,
            soonest | within,
            {"people": [middle.participant_id]},
        ):
            schedule_pages.read_page(**given, **place)
    found = {}
    for (statement, values), mode in product(asked, MODES):
        if waste := wasted(plan(statement, values, mode)):
            found[f"{values} {mode}"] = waste
    assert found == {}


def test_what_else_a_request_reads_is_found_by_an_index(crowd: Workspace):
    ids = {"team": crowd.team.pk, "participant": Participant.objects.for_team(crowd.team).first().pk}
    asked = [
        (queries._USABLE_KEY.replace("%s", "%(digest)s"), {"digest": b"x" * 32}),
        (services._CANCEL, ids | {"chatbots": [crowd.bot.pk], "external_ids": ["s"]}),
    ]
    for (statement, values), mode in product(asked, MODES):
        assert wasted(plan(statement, values, mode)) == [], statement
