"""Participants by the thousand: the part `people COUNT [--floor]` of `with_django`.

It prints what a run has to know.

Each person has two entries of some 300 bytes and three schedules. With `--floor` there is a second team of as
many, whose data is plain text in the same column: PostgreSQL has no key, and builds the floor's answers.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection

from apps.access.services import create_api_key
from apps.chatbots.models import Chatbot
from apps.chatbots.services import ensure_chatbot
from apps.participants.encryption import seal
from apps.teams.identifiers import uuid7
from apps.teams.models import Role, Team
from apps.teams.services import ensure_member, ensure_team, ensure_user

from .cases import Seeded

NOW = datetime.now(UTC)
SCHEDULES = ((0, "check-in"), (0, "reminder"), (1, "check-in"))
PROMPT = "Ask how the week went, and whether the exercises of the last lesson were of any use."
_GREATEST = "SELECT coalesce(max(id), 0) FROM {}"
_CONTINUE = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), (SELECT max(id) FROM {0}))"


def identifier(number: int) -> str:
    return f"person-{number:07d}@example.org"


def entry(number: int) -> bytes:
    return json.dumps(
        {
            "language": "en",
            "time_zone": "Africa/Nairobi",
            "visits": number % 97,
            "goals": ["walk every day", "sleep eight hours", f"read chapter {number % 41}"],
            "last_session": {
                "topic": f"lesson {number % 53}",
                "score": number % 100 / 4,
                "is_done": number % 2 == 0,
            },
            "notes": "Prefers short messages in the morning; asked twice about the clinic.",
        },
        separators=(",", ":"),
    ).encode()


def seed(name: str, people: int, text: Callable[[bytes, int, int], bytes]) -> Seeded:
    """A team of so many. `text` makes what is stored of an entry's text, a person's and a chatbot's id."""
    team = ensure_team(name)
    bots = [ensure_chatbot(team=team, name=f"{name} bot {number}") for number in (1, 2)]
    user = ensure_user("benchmark@example.org").user
    ensure_member(team=team, user=user, role=Role.EDITOR)
    key = create_api_key(team=team, user=user, name="Benchmark").secret
    first = _greatest("participants_participant") + 1
    ids = range(first, first + people)
    _copy("participants_participant", _PERSON, _people(team, ids))
    # A COPY under way leaves the connection to nobody: what the rows need is asked for before.
    entries = _entries(team, bots, ids, text, first=_greatest("participants_participantdata") + 1)
    _copy("participants_participantdata", _ENTRY, entries)
    schedules = _schedules(team, bots, ids, first=_greatest("schedules_scheduledmessage") + 1)
    _copy("schedules_scheduledmessage", _SCHEDULE, schedules)
    deep_page = min(51, people // 200 + 1)
    before = first + people - (deep_page - 1) * 100
    return Seeded(team.pk, key, [str(bot.public_id) for bot in bots], deep_page, before)


_PERSON = "id team_id public_id platform identifier name remote_id created_at updated_at"
_ENTRY = "id team_id participant_id chatbot_id data version created_at updated_at"
_SCHEDULE = (
    "id team_id participant_id chatbot_id public_id external_id name prompt scheduled_for due_at status "
    "fired_for attempts created_at updated_at"
)


def _people(team: Team, ids: range) -> Iterator[tuple[Any, ...]]:
    for number, key in enumerate(ids):
        yield key, team.pk, uuid7(), "api", identifier(number), f"Person {number}", "", NOW, NOW


def _entries(
    team: Team, bots: list[Chatbot], ids: range, text: Callable[[bytes, int, int], bytes], *, first: int
) -> Iterator[tuple[Any, ...]]:
    keys = count(first)
    for number, person in enumerate(ids):
        for bot in bots:
            yield next(keys), team.pk, person, bot.pk, text(entry(number), person, bot.pk), 1, NOW, NOW


def _schedules(team: Team, bots: list[Chatbot], ids: range, *, first: int) -> Iterator[tuple[Any, ...]]:
    """One of three was delivered; the others are due within a year."""
    keys = count(first)
    chance = random.Random(0)
    for person in ids:
        for index, (bot, name) in enumerate(SCHEDULES):
            is_past = index == 1
            moment = NOW + timedelta(minutes=chance.randrange(1, 500_000)) * (-1 if is_past else 1)
            yield (
                next(keys), team.pk, person, bots[bot].pk, uuid7(), name, name, PROMPT, moment, moment,
                "delivered" if is_past else "pending", moment if is_past else None, int(is_past), NOW, NOW,
            )  # fmt: skip


def _greatest(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_GREATEST.format(table))
        return int(cursor.fetchone()[0])


def _copy(table: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} ({', '.join(columns.split())}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(_CONTINUE.format(table))


def main(arguments: list[str]) -> None:
    people = int(arguments[0])
    teams = {
        "service": seed(
            "Service", people, lambda text, person, bot: seal(text, participant_id=person, chatbot_id=bot)
        )
    }
    if "--floor" in arguments:
        # As long as what is sealed: JSON may end in spaces.
        teams["floor"] = seed("Floor", people, lambda text, person, bot: text + b" " * 33)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    sys.stdout.write(json.dumps({name: asdict(team) for name, team in teams.items()}))
