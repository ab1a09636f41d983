"""The list of schedules: which of them a page has, in one statement that reads no more than it has to.

The rows of a chatbot with a status are stretches of two indexes, by id and by the moment at which they are
due. A page is what comes first in the stretches of a team's chatbots.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from apps.sql import MOST, between, fetch
from apps.teams.models import Team

from .models import Status

_PAGE = """
    SELECT found.id, found.due_at
      FROM chatbots_chatbot c {statuses}
     CROSS JOIN LATERAL (
               SELECT * FROM (
                   SELECT m.id, m.due_at FROM schedules_scheduledmessage m WHERE {conditions} {first}
               ) AS stretch {limit}
           ) AS found
     WHERE c.team_id = %(team)s {chatbot}
     ORDER BY {order}
     LIMIT %(limit)s
"""
_EACH_STATUS = "CROSS JOIN unnest(%(statuses)s::text[]) AS s(status)"
_STRETCH = {"m.chatbot_id": "c.id", "m.status": "s.status"}
_OF_PEOPLE = [
    "m.participant_id = ANY(%(people)s)",
    "m.chatbot_id = c.id",
    "m.status = ANY(%(statuses)s::text[])",
]


class Found(NamedTuple):
    id: int
    due_at: datetime


def read_page(
    *,
    team: Team,
    limit: int,
    beyond: int | None = None,
    beyond_due_at: datetime | None = None,
    is_soonest_first: bool = False,
    is_backwards: bool = False,
    people: Collection[int] | None = None,
    chatbot: UUID | None = None,
    status: str | None = None,
    due_after: datetime | None = None,
    due_before: datetime | None = None,
) -> list[Found]:
    """At most `limit`, or MOST, of a team's schedules, newest first, or those due soonest; or from the end.

    `beyond` is the id of the row before the first; where the soonest come first, `beyond_due_at` is when it
    is due. `people` are internal ids. `due_after` is included, `due_before` is not.
    """
    values: dict[str, Any] = {"team": team.pk, "limit": limit, "people": people, "chatbot": chatbot}
    values["statuses"] = list(Status.values) if status is None else [status]
    # As no row has the id 0, each of these lies between rows.
    after = [(due_after, 0)] if due_after is not None else []
    before = [(due_before, 0)] if due_before is not None else []
    if beyond is not None and beyond_due_at is not None:
        (before if is_backwards else after).append((beyond_due_at, beyond))
    else:
        values["beyond"] = beyond
    values["after"], values["after_id"] = max(after, default=(None, None))
    values["before"], values["before_id"] = min(before, default=(None, None))
    given = {name: value for name, value in values.items() if value is not None}
    statement = _statement(frozenset(given), is_soonest_first, is_backwards)
    return [Found._make(row) for row in fetch(statement, given)]


@cache
def _statement(given: frozenset[str], is_soonest_first: bool, is_backwards: bool) -> str:
    direction = "ASC" if is_soonest_first != is_backwards else "DESC"
    key = ("due_at", "id") if is_soonest_first else ("id",)
    is_by_moment = is_soonest_first or not given.isdisjoint(("after", "before"))
    stretch = {} if "people" in given else _STRETCH
    conditions = [*([] if stretch else _OF_PEOPLE), *_ends(given, stretch, is_by_moment, is_backwards)]
    first = limit = ""
    if stretch and is_by_moment == is_soonest_first:
        # The stretches are in the order of the page.
        order = _order([*stretch, *(f"m.{column}" for column in key)], direction)
        first, limit = f"ORDER BY {order} LIMIT {MOST}", "LIMIT %(limit)s"
    return _PAGE.format(
        statuses=_EACH_STATUS if stretch else "",
        conditions=" AND ".join(conditions),
        first=first,
        limit=limit,
        chatbot="AND c.public_id = %(chatbot)s" if "chatbot" in given else "",
        order=_order(key, direction),
    )


def _ends(
    given: frozenset[str], stretch: dict[str, str], is_by_moment: bool, is_backwards: bool
) -> list[str]:
    after = ("%(after)s", "%(after_id)s") if "after" in given else None
    before = ("%(before)s", "%(before_id)s") if "before" in given else None
    beyond = ("%(beyond)s",) if "beyond" in given else None
    above, below = (beyond, None) if is_backwards else (None, beyond)
    if not is_by_moment:
        return between(stretch, ("m.id",), above=above, below=below)
    moments = between(stretch, ("m.due_at", "m.id"), above=after, below=before)
    return moments + between({}, ("m.id",), above=above, below=below)


def _order(columns: Collection[str], direction: str) -> str:
    return ", ".join(f"{column} {direction}" for column in columns)
