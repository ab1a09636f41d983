"""Reads of participants."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.errors import DomainError
from apps.teams.models import Team

from . import encryption
from .models import Participant, ParticipantData
from .platforms import Platform, normalise_identifier


class Entry(NamedTuple):
    """What one chatbot keeps of a participant: the chatbot's name and public id, and JSON text."""

    chatbot: str
    chatbot_id: str
    text: bytes


def participants(*, team: Team, identifier: str | None = None) -> QuerySet[Participant]:
    """A team's participants, for other tables to refer to; `pages` reads the list."""
    rows = Participant.objects.for_team(team)
    return rows if identifier is None else rows.filter(_has_identifier(identifier))


def participant_ids(
    *, team: Team, participant: UUID | None = None, identifier: str | None = None
) -> list[int]:
    """The internal ids of those that have this public id, if it is given, and this identifier."""
    rows = participants(team=team, identifier=identifier)
    if participant is not None:
        rows = rows.filter(public_id=participant)
    return list(rows.values_list("pk", flat=True))


class ParticipantNotFound(DomainError):
    message = "Not found."


def participant(*, team: Team, public_id: UUID) -> Participant:
    """Raises ParticipantNotFound."""
    found = Participant.objects.for_team(team).filter(public_id=public_id).first()
    if found is None:
        raise ParticipantNotFound
    return found


def _has_identifier(identifier: str) -> Q:
    """Finds a person under the spelling that a write would keep, whatever the platform."""
    lowered = normalise_identifier(identifier, Platform.COMMCARE_CONNECT)
    if lowered == identifier:
        return Q(identifier=identifier)
    return Q(identifier=identifier) | Q(identifier=lowered, platform=Platform.COMMCARE_CONNECT)


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
