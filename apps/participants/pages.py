"""The list of participants: a page with what chatbots keep of each, in one statement."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from apps import encryption
from apps.sql import MOST, between, fetch
from apps.teams.models import Team

from .encryption import binding
from .queries import Entry
from .spelling import condition, spellings


class Person(NamedTuple):
    """A participant, and what chatbots keep of them in the order in which they first did."""

    id: int
    public_id: str
    identifier: str
    name: str
    platform: str
    remote_id: str
    entries: list[Entry]


# The rows of the page first, then their entries.
_PAGE = """
    WITH page AS MATERIALIZED (
        SELECT * FROM (
            SELECT p.id, p.public_id, p.identifier, p.name, p.platform, p.remote_id
              FROM {source}
             WHERE {conditions}
             ORDER BY {order} LIMIT {most}
        ) AS ordered LIMIT %(limit)s
    )
    SELECT page.id, page.public_id::text, page.identifier, page.name, page.platform, page.remote_id,
           d.chatbot_id, c.name, c.public_id::text, d.data
      FROM page
      LEFT JOIN participants_participantdata d
             ON d.participant_id = page.id AND d.team_id = %(team)s {entries}
      LEFT JOIN chatbots_chatbot c ON c.id = d.chatbot_id
     ORDER BY page.id {direction}, d.id
"""
_CHATBOT = "(SELECT id FROM chatbots_chatbot WHERE team_id = %(team)s AND public_id = %(chatbot)s)"


def read_page(
    *,
    team: Team,
    limit: int,
    beyond: int | None = None,
    is_backwards: bool = False,
    identifier: str | None = None,
    platform: str | None = None,
    chatbot: UUID | None = None,
) -> list[Person]:
    """At most `limit`, or MOST, of a team's participants, newest first, or backwards oldest first.

    `beyond` is the id of the row before the first. `chatbot` keeps those for whom that chatbot has
    data, and of their data only its own.
    """
    values: dict[str, Any] = {"team": team.pk, "limit": limit}
    if beyond is not None:
        values["beyond"] = beyond
    if identifier is not None:
        values |= spellings(identifier)
    if platform is not None:
        values["platform"] = platform
    if chatbot is not None:
        values["chatbot"] = chatbot
    return _people(fetch(_statement(frozenset(values), is_backwards), values))


@cache
def _statement(given: frozenset[str], is_backwards: bool) -> str:
    source, key, entries = "participants_participant p", "p.id", ""
    equal = {"p.team_id": "%(team)s"}
    if "platform" in given:
        equal["p.platform"] = "%(platform)s"
    index = equal
    if "chatbot" in given:
        source = (
            "participants_participantdata f JOIN participants_participant p "
            "ON p.team_id = f.team_id AND p.id = f.participant_id"
        )
        key, entries = "f.participant_id", f"AND d.chatbot_id = {_CHATBOT}"
        equal = equal | {"f.chatbot_id": _CHATBOT}
        index = {"f.chatbot_id": _CHATBOT}
    if "identifier" in given:
        index = {}  # Of the few that are found none has to be left out by an index.
    where = [f"{column} = {value}" for column, value in equal.items() if column not in index]
    beyond = ("%(beyond)s",) if "beyond" in given else None
    above, below = (beyond, None) if is_backwards else (None, beyond)
    where += between(index, (key,), above=above, below=below)
    if "identifier" in given:
        where.append(condition(given))
    direction = "ASC" if is_backwards else "DESC"
    return _PAGE.format(
        source=source,
        conditions=" AND ".join(where),
        order=", ".join(f"{column} {direction}" for column in [*index, key]),
        most=MOST,
        entries=entries,
        direction=direction,
    )


def _people(rows: list[tuple[Any, ...]]) -> list[Person]:
    people: list[Person] = []
    ring = encryption.ring()
    last_id = None
    for row in rows:
        participant_id, chatbot_id, sealed = row[0], row[6], row[9]
        if participant_id != last_id:
            entries: list[Entry] = []
            people.append(Person._make((*row[:6], entries)))
            last_id = participant_id
        if chatbot_id is not None:
            text = ring.unseal(sealed, binding=binding(participant_id, chatbot_id))
            entries.append(Entry(row[7], row[8], text))
    return people
