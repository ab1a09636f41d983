"""Reads of chatbots."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from apps.errors import DomainError
from apps.sql import fetch
from apps.teams.models import Team

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
    rows = fetch(_IDS, {"team": team.pk, "public_ids": list(public_ids)})
    found: dict[UUID, int] = dict(rows)
    if missing := [public_id for public_id in public_ids if public_id not in found]:
        raise ChatbotsNotFound(missing)
    return found
