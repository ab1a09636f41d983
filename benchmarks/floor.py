"""The floor: what the same server and the same database do at best. `python -m benchmarks.floor`.

A bare WSGI function without authentication or checks. PostgreSQL builds a list's whole answer in one
statement; a write is one statement that writes the same rows. It runs as `config.web` runs the service.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
from psycopg_pool import ConnectionPool

from apps.teams.identifiers import uuid7
from config import database, env
from config.web import serve

_ANSWER = """
    SELECT json_build_object(
        'next', 'http://127.0.0.1:8000/api/participants?cursor=' || min(id), 'previous', NULL,
        'results', coalesce(json_agg(person ORDER BY id DESC), '[]'))::text
      FROM (SELECT p.id, json_build_object(
                       'id', p.public_id, 'identifier', p.identifier, 'name', p.name,
                       'platform', p.platform, 'remote_id', p.remote_id, 'data', (
                           SELECT coalesce(json_agg(json_build_object(
                                      'chatbot', c.name, 'chatbot_id', c.public_id,
                                      'data', convert_from(d.data, 'UTF8')::json) ORDER BY d.id), '[]')
                             FROM participants_participantdata d
                             JOIN chatbots_chatbot c ON c.id = d.chatbot_id
                            WHERE d.participant_id = p.id {entries})) AS person
              FROM participants_participant p {joined}
             WHERE {bounds} ORDER BY {order} DESC LIMIT 100) page
"""
# Bounded by all columns of an index, as the service's are: see `apps.participants.pages`.
_PAGE = _ANSWER.format(
    entries="",
    joined="",
    bounds="(p.team_id, p.id) < (%(team)s, %(before)s) AND p.team_id >= %(team)s",
    order="p.team_id DESC, p.id",
)
_PERSON = _ANSWER.format(
    entries="",
    joined="",
    bounds="p.team_id = %(team)s AND p.identifier = %(identifier)s",
    order="p.id",
)
_BOT = "(SELECT id FROM chatbots_chatbot WHERE public_id = %(chatbot)s)"
_CHATBOT = _ANSWER.format(
    entries="AND c.public_id = %(chatbot)s",
    joined="JOIN participants_participantdata f ON f.participant_id = p.id",
    bounds=f"(f.chatbot_id, f.participant_id) < ({_BOT}, %(before)s) AND f.chatbot_id >= {_BOT}",
    order="f.chatbot_id DESC, f.participant_id",
)
_WRITE = """
    WITH person AS (
        INSERT INTO participants_participant AS p
               (team_id, public_id, platform, identifier, name, remote_id, created_at, updated_at)
        VALUES (%(team)s, %(public_id)s, 'api', %(identifier)s, %(name)s, '', %(now)s, %(now)s)
            ON CONFLICT (team_id, platform, identifier) DO UPDATE
           SET name = coalesce(nullif(excluded.name, ''), p.name), updated_at = excluded.updated_at
        RETURNING id
    ), entry AS (
        INSERT INTO participants_participantdata AS d
               (team_id, participant_id, chatbot_id, data, version, created_at, updated_at)
        SELECT %(team)s, person.id, c.id, given.data, 1, %(now)s, %(now)s
          FROM person, unnest(%(chatbots)s::uuid[], %(data)s::bytea[]) AS given (chatbot, data)
          JOIN chatbots_chatbot c ON c.public_id = given.chatbot
            ON CONFLICT (participant_id, chatbot_id) DO UPDATE
           SET data = excluded.data, version = d.version + 1, updated_at = excluded.updated_at
    ), schedule AS (
        INSERT INTO schedules_scheduledmessage AS s
               (team_id, participant_id, chatbot_id, public_id, external_id, name, prompt,
                scheduled_for, due_at, status, attempts, created_at, updated_at)
        SELECT %(team)s, person.id, c.id, given.public_id, given.external_id, given.name, given.prompt,
               given.date, given.date, 'pending', 0, %(now)s, %(now)s
          FROM person, unnest(%(bots)s::uuid[], %(public_ids)s::uuid[], %(ids)s::text[], %(names)s::text[],
                              %(prompts)s::text[], %(dates)s::timestamptz[])
               AS given (chatbot, public_id, external_id, name, prompt, date)
          JOIN chatbots_chatbot c ON c.public_id = given.chatbot
            ON CONFLICT (participant_id, chatbot_id, external_id) DO UPDATE
           SET name = excluded.name, prompt = excluded.prompt, scheduled_for = excluded.scheduled_for,
               due_at = excluded.due_at, status = 'pending', attempts = 0, updated_at = excluded.updated_at
    ) SELECT id FROM person
"""


@cache
def _pool() -> ConnectionPool[Any]:
    """In the process that answers: the server forks."""
    return ConnectionPool(
        env.DATABASE_URL or database.url(env.DATA_DIR),
        min_size=1,
        max_size=env.WEB_THREADS,
        kwargs={"autocommit": True},
        open=True,
    )


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    team = int(os.environ["FLOOR_TEAM"])
    with _pool().connection() as connection:
        if environ["REQUEST_METHOD"] == "POST":
            body = orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            connection.execute(_WRITE, _written(body) | {"team": team})
            answer = b""
        else:
            given: dict[str, Any] = {"before": 2**62, "team": team} | dict(parse_qsl(environ["QUERY_STRING"]))
            statement = _PERSON if "identifier" in given else _CHATBOT if "chatbot" in given else _PAGE
            row = connection.execute(statement, given).fetchone()
            assert row is not None, "an aggregate has a row"
            answer = row[0].encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


def _written(body: dict[str, Any]) -> dict[str, Any]:
    schedules = [(entry["experiment"], item) for entry in body["data"] for item in entry.get("schedules", ())]
    return {
        "identifier": body["identifier"],
        "name": body.get("name", ""),
        "public_id": uuid7(),
        "now": datetime.now(UTC),
        "chatbots": [entry["experiment"] for entry in body["data"]],
        # As long as what is sealed.
        "data": [orjson.dumps(entry["data"]) + b" " * 33 for entry in body["data"]],
        "bots": [chatbot for chatbot, _ in schedules],
        "public_ids": [uuid7() for _ in schedules],
        "ids": [item["id"] for _, item in schedules],
        "names": [item["name"] for _, item in schedules],
        "prompts": [item["prompt"] for _, item in schedules],
        "dates": [item["date"] for _, item in schedules],
    }


if __name__ == "__main__":
    serve("benchmarks.floor")
