"""Reads of chatbots."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from apps.errors import DomainError
from apps.sql import fetch
from apps.teams.models import Team

# By team and public id.
_found: dict[tuple[int, UUID], int] = {}
_MOST_REMEMBERED = 50_000

_IDS = """
    SELECT public_id, id FROM chatbots_chatbot
     WHERE team_id = %(team)s AND public_id = ANY(%(public_ids)s)
"""


class ChatbotsNotFound(DomainError):
    """The team has no chatbots with these public ids, in the order in which they were asked for."""

    def __init__(self, missing: list[UUID]) -> None:
        self.missing = missing
        super().__init__("No such chatbot in this team: " + ", ".join(map(str, missing)))


def chatbot_ids(*, team: Team, public_ids: Collection[UUID]) -> dict[UUID, int]:
    """The internal id of each of a team's chatbots, by public id. Raises ChatbotsNotFound."""
    if not public_ids:
        return {}
    found: dict[UUID, int] = dict(fetch(_IDS, {"team": team.pk, "public_ids": list(public_ids)}))
    if missing := [public_id for public_id in public_ids if public_id not in found]:
        raise ChatbotsNotFound(missing)
    return found


def remembered_chatbot_ids(*, team: Team, public_ids: Collection[UUID]) -> dict[UUID, int]:
    """As `chatbot_ids`, without asking for those that this process has found before: neither of the three ids
    ever changes.

    One that was deleted since is still among them: what is written for it breaks a foreign key, and then
    `forget_chatbots` is to be called.
    """
    known = {public_id: _found.get((team.pk, public_id)) for public_id in public_ids}
    found = {public_id: key for public_id, key in known.items() if key is not None}
    if unknown := known.keys() - found.keys():
        asked = chatbot_ids(team=team, public_ids=[each for each in public_ids if each in unknown])
        if len(_found) > _MOST_REMEMBERED:
            forget_chatbots()
        _found.update({(team.pk, public_id): key for public_id, key in asked.items()})
        found |= asked
    return found


def forget_chatbots() -> None:
    _found.clear()
