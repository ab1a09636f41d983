"""Writes of participants and of what chatbots keep of them.

Races are settled by the table's constraints: each function is one statement, and there is no
reading first. Call them inside one transaction; the first locks the participant's row until its end.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from apps.errors import DomainError
from apps.sql import execute, fetch
from apps.teams.identifiers import uuid7
from apps.teams.models import Team

from . import encryption, json_text
from .models import Participant, ParticipantData
from .platforms import normalise_identifier


class DataChanged(DomainError):
    message = (
        "The data was changed by someone else in the meantime, so nothing was saved. "
        "What is shown now is the newest."
    )


_SAVE = """
    INSERT INTO participants_participant AS p
           (team_id, public_id, platform, identifier, name, remote_id, created_at, updated_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (team_id, platform, identifier) DO UPDATE
       SET name = coalesce(nullif(excluded.name, ''), p.name),
           remote_id = coalesce(nullif(excluded.remote_id, ''), p.remote_id),
           updated_at = excluded.updated_at
    RETURNING id, public_id, platform, identifier, name, remote_id
"""

# An entry without data comes with version 0: it makes the row if there is none and changes nothing else.
# As one value, for psycopg looks through arrays element by element: that took longer than the rest.
_SAVE_DATA = """
    INSERT INTO participants_participantdata AS d
           (team_id, participant_id, chatbot_id, data, version, created_at, updated_at)
    SELECT %(team)s, %(participant)s, chatbot, decode(sealed, 'base64'), version, %(now)s, %(now)s
      FROM json_to_recordset(%(entries)s) AS entry (chatbot bigint, sealed text, version int, position int)
     ORDER BY position
        ON CONFLICT (participant_id, chatbot_id) DO UPDATE
       SET data = excluded.data, version = d.version + 1, updated_at = excluded.updated_at
     WHERE excluded.version > 0
"""


@dataclass(frozen=True, slots=True)
class SavedParticipant:
    id: int
    public_id: UUID
    platform: str
    identifier: str
    name: str
    remote_id: str


@dataclass(frozen=True, slots=True)
class DataWrite:
    """What a chatbot is to keep. `text` is JSON text; None leaves what is there, or starts with {}."""

    chatbot_id: int
    text: bytes | None


def save_participant(
    *,
    team: Team,
    platform: str,
    identifier: str,
    name: str | None,
    now: datetime,
    remote_id: str | None = None,
) -> SavedParticipant:
    """Creates the participant, or changes of the one that is there what is given."""
    identifier = normalise_identifier(identifier, platform)
    values = [team.pk, uuid7(), platform, identifier, name or "", remote_id or "", now, now]
    return SavedParticipant(*fetch(_SAVE, values)[0])


def save_data(*, team: Team, participant_id: int, writes: Sequence[DataWrite], now: datetime) -> None:
    """Writes the entries, each chatbot named at most once, and new ones in the order given."""
    if not writes:
        return
    entries = [
        {
            "chatbot": write.chatbot_id,
            "sealed": _sealed(write, participant_id),
            "version": 0 if write.text is None else 1,
            "position": position,
        }
        for position, write in enumerate(writes)
    ]
    values = {"team": team.pk, "participant": participant_id, "now": now}
    execute(_SAVE_DATA, values | {"entries": orjson.dumps(entries).decode()})


def _sealed(write: DataWrite, participant_id: int) -> str:
    sealed = encryption.seal(write.text or b"{}", participant_id=participant_id, chatbot_id=write.chatbot_id)
    return b64encode(sealed).decode()


def merge_data(
    *, team: Team, participant_id: int, chatbot_id: int, patch: dict[str, Any], now: datetime
) -> None:
    """Merges into what a chatbot keeps of a person (RFC 7396). Call it inside a transaction.

    Two merges at once, or a merge and an upsert, apply one after the other: the participant's row is
    locked first, as `save_participant` does. Raises TypeError for lone surrogates.
    """
    Participant.objects.for_team(team).select_for_update().get(pk=participant_id)
    rows = ParticipantData.objects.for_team(team).filter(participant=participant_id, chatbot=chatbot_id)
    stored = rows.values_list("data", flat=True).first()
    text = (
        encryption.unseal(bytes(stored), participant_id=participant_id, chatbot_id=chatbot_id)
        if stored is not None
        else b"{}"
    )
    merged = json_text.dump(json_text.merge_patch(json_text.parse(text.decode()), patch))
    save_data(team=team, participant_id=participant_id, writes=[DataWrite(chatbot_id, merged)], now=now)


def rewrite_data(
    *, team: Team, participant_id: int, chatbot_id: int, text: bytes, version: int, now: datetime
) -> None:
    """Replaces one entry if it is still at this version. Raises DataChanged."""
    with transaction.atomic():
        # The participant first, as every write does, so that no two wait for each other.
        Participant.objects.for_team(team).select_for_update().get(pk=participant_id)
        rows = ParticipantData.objects.for_team(team)
        found = rows.filter(participant=participant_id, chatbot=chatbot_id, version=version)
        if not found.exists():
            raise DataChanged
        write = DataWrite(chatbot_id, text)
        save_data(team=team, participant_id=participant_id, writes=[write], now=now)


def rename_participant(*, team: Team, participant_id: int, name: str, now: datetime) -> None:
    Participant.objects.for_team(team).filter(pk=participant_id).update(name=name, updated_at=now)
