"""What chatbots keep of a participant, as a page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string

from apps.encryption import Unreadable
from apps.participants import encryption, json_text
from apps.participants.models import Participant, ParticipantData

# One person's page shows so much of an entry; the entry's own page shows all.
EXCERPT = 20_000


@dataclass(frozen=True, slots=True)
class Memory:
    """`text` is indented JSON, None if it can't be decrypted."""

    pk: int
    chatbot: str
    version: int
    updated_at: datetime
    text: str | None
    is_cut: bool


def readable(row: ParticipantData) -> str | None:
    """The entry's JSON, indented; None if its key is missing. Remembered on the row: a page asks often."""
    if "readable" not in row.__dict__:
        row.__dict__["readable"] = _readable(row)
    found: str | None = row.__dict__["readable"]
    return found


def _readable(row: ParticipantData) -> str | None:
    try:
        text = encryption.unseal(
            bytes(row.data), participant_id=row.participant_id, chatbot_id=row.chatbot_id
        )
    except Unreadable:
        return None
    return json_text.indented(text.decode())


def memories(participant: Participant) -> list[Memory]:
    rows = ParticipantData.objects.for_team(participant.team).filter(participant=participant)
    return [_memory(row) for row in rows.select_related("chatbot").order_by("id")]


def _memory(row: ParticipantData) -> Memory:
    text = readable(row)
    shown = text if text is None else text[:EXCERPT]
    return Memory(row.pk, row.chatbot.name, row.version, row.updated_at, shown, shown != text)


def memory_panel(participant: Participant, *, editable: bool) -> str:
    context = {"memories": memories(participant), "participant": participant, "editable": editable}
    return render_to_string("console/memory.html", context)


def memory_text(row: ParticipantData) -> str:
    return render_to_string("console/memory_text.html", {"text": readable(row)})
