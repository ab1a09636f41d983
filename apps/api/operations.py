"""The writes of the API, one function each: one transaction, in which everything is resolved inside
the caller's team before anything is written. Nothing here knows of HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.chatbots.queries import chatbot_ids, forget_chatbots, remembered_chatbot_ids
from apps.participants.services import DataWrite, SavedParticipant, save_data, save_participant
from apps.schedules.services import ScheduleCancel, ScheduleSave, apply_schedules
from apps.teams.models import Team


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """`delete` cancels the schedule with this id; else name, prompt and date are given."""

    id: str | None = None
    name: str = ""
    prompt: str = ""
    date: datetime | None = None
    delete: bool = False


@dataclass(frozen=True, slots=True)
class ChatbotEntry:
    """One entry of an upsert. `text` is JSON text that replaces the stored data, unless it is {}."""

    experiment: UUID
    text: bytes = b"{}"
    schedules: Sequence[ScheduleChange] = field(default=())


def upsert_participant(
    *,
    team: Team,
    platform: str,
    identifier: str,
    name: str | None,
    entries: Sequence[ChatbotEntry],
    now: datetime,
) -> SavedParticipant:
    """Creates or updates one participant with their data and schedules, all of it or nothing.

    A constant number of statements, whatever the number of entries. Raises ChatbotsNotFound.
    """
    public_ids = list(dict.fromkeys(entry.experiment for entry in entries))

    @transaction.atomic
    def write(chatbots: dict[UUID, int]) -> SavedParticipant:
        saved = save_participant(team=team, platform=platform, identifier=identifier, name=name, now=now)
        save_data(team=team, participant_id=saved.id, writes=_data_writes(entries, chatbots), now=now)
        items = [
            _schedule_item(change, chatbots[entry.experiment])
            for entry in entries
            for change in entry.schedules
        ]
        apply_schedules(team=team, participant_id=saved.id, items=items, now=now)
        return saved

    try:
        return write(remembered_chatbot_ids(team=team, public_ids=public_ids))
    except IntegrityError:
        # One of the chatbots was deleted since they were last looked up.
        forget_chatbots()
        return write(chatbot_ids(team=team, public_ids=public_ids))


def _data_writes(entries: Sequence[ChatbotEntry], chatbots: dict[UUID, int]) -> list[DataWrite]:
    """Entries apply in order: of two for one chatbot, the last that has data counts."""
    texts: dict[int, bytes | None] = {}
    for entry in entries:
        chatbot = chatbots[entry.experiment]
        texts[chatbot] = entry.text if entry.text != b"{}" else texts.get(chatbot)
    return [DataWrite(chatbot, text) for chatbot, text in texts.items()]


def _schedule_item(change: ScheduleChange, chatbot_id: int) -> ScheduleSave | ScheduleCancel:
    if change.delete:
        assert change.id is not None, "the serializer asks for it"
        return ScheduleCancel(chatbot_id, change.id)
    assert change.date is not None, "the serializer asks for it"
    return ScheduleSave(chatbot_id, change.id, change.name, change.prompt, change.date)
