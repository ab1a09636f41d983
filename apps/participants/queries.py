"""Reads of participants."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from apps.errors import DomainError
from apps.sql import fetch
from apps.teams.models import Team

from . import encryption
from .models import Participant, ParticipantData
from .spelling import condition, spellings

_IDS = "SELECT p.id FROM participants_participant p WHERE p.team_id = %(team)s"


class Entry(NamedTuple):
    """What one chatbot keeps of a participant: the chatbot's name and public id, and JSON text."""

    chatbot: str
    chatbot_id: str
    text: bytes


def participant_ids(
    *, team: Team, participant: UUID | None = None, identifier: str | None = None
) -> list[int]:
    """The internal ids of those of a team that have what is given of a public id and an identifier."""
    values: dict[str, Any] = {"team": team.pk}
    statement = _IDS
    if participant is not None:
        values["participant"] = participant
        statement += " AND p.public_id = %(participant)s"
    if identifier is not None:
        values |= spellings(identifier)
        statement += f" AND {condition(values)}"
    return [key for (key,) in fetch(statement, values)]


class ParticipantNotFound(DomainError):
    message = "Not found."


def participant(*, team: Team, public_id: UUID) -> Participant:
    """Raises ParticipantNotFound."""
    found = Participant.objects.for_team(team).filter(public_id=public_id).first()
    if found is None:
        raise ParticipantNotFound
    return found


def entries(
    *, team: Team, participant_ids: Collection[int], chatbot: UUID | None = None
) -> dict[int, list[Entry]]:
    """What chatbots keep of these participants, by internal id, in the order in which they first did."""
    found: dict[int, list[Entry]] = {participant_id: [] for participant_id in participant_ids}
    if not found:
        return found
    rows = ParticipantData.objects.for_team(team).filter(participant__in=participant_ids)
    if chatbot is not None:
        rows = rows.filter(chatbot__public_id=chatbot)
    fields = ("participant_id", "chatbot_id", "chatbot__name", "chatbot__public_id", "data")
    for participant_id, chatbot_id, name, public_id, sealed in rows.order_by("id").values_list(*fields):
        text = encryption.unseal(bytes(sealed), participant_id=participant_id, chatbot_id=chatbot_id)
        found[participant_id].append(Entry(name, str(public_id), text))
    return found
