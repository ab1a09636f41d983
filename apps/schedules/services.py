"""Writes of schedules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from apps.teams.identifiers import uuid7
from apps.teams.models import Team

from .models import MAX_EXTERNAL_ID

# A schedule that is already as the request says is left alone, its retries with it. So is one that was
# delivered for this very moment (the contract). Any other becomes what the request says.
_SAVE = """
    INSERT INTO schedules_scheduledmessage AS s
           (team_id, participant_id, chatbot_id, public_id, external_id, name, prompt,
            scheduled_for, due_at, status, attempts, created_at, updated_at)
    SELECT %(team)s, %(participant)s, chatbot, public_id, external_id, name, prompt,
           scheduled_for, scheduled_for, 'pending', 0, %(now)s, %(now)s
      FROM unnest(%(chatbots)s::bigint[], %(public_ids)s::uuid[], %(external_ids)s::text[],
                  %(names)s::text[], %(prompts)s::text[], %(dates)s::timestamptz[])
           WITH ORDINALITY AS item (chatbot, public_id, external_id, name, prompt, scheduled_for, position)
     ORDER BY position
        ON CONFLICT (participant_id, chatbot_id, external_id) DO UPDATE
       SET name = excluded.name, prompt = excluded.prompt, scheduled_for = excluded.scheduled_for,
           due_at = excluded.due_at, status = 'pending', attempts = 0, updated_at = excluded.updated_at
     WHERE NOT (s.status = 'delivered' AND s.fired_for = excluded.scheduled_for)
       AND (s.status, s.name, s.prompt, s.scheduled_for)
           <> ('pending', excluded.name, excluded.prompt, excluded.scheduled_for)
"""

# What was delivered stays so: it can't be taken back.
_CANCEL = """
    UPDATE schedules_scheduledmessage AS s
       SET status = 'cancelled', updated_at = %(now)s
      FROM unnest(%(chatbots)s::bigint[], %(external_ids)s::text[]) AS item (chatbot, external_id)
     WHERE s.team_id = %(team)s AND s.participant_id = %(participant)s
       AND s.chatbot_id = item.chatbot AND s.external_id = item.external_id
       AND s.status IN ('pending', 'sending', 'failed')
"""


@dataclass(frozen=True, slots=True)
class ScheduleSave:
    """Create or change a one-off schedule. `date` is aware; without an id one is derived."""

    chatbot_id: int
    external_id: str | None
    name: str
    prompt: str
    date: datetime

    @property
    def key(self) -> tuple[int, str]:
        return self.chatbot_id, self.external_id or derived_id(self.name, self.prompt, self.date)


@dataclass(frozen=True, slots=True)
class ScheduleCancel:
    chatbot_id: int
    external_id: str

    @property
    def key(self) -> tuple[int, str]:
        return self.chatbot_id, self.external_id


def derived_id(name: str, prompt: str, date: datetime) -> str:
    """The id of a schedule that came without one: the same for the same content, so that a repeated
    request finds the schedule that it made."""
    content = json.dumps([name, prompt, date.astimezone(UTC).isoformat()])
    return hashlib.sha256(content.encode()).hexdigest()[:MAX_EXTERNAL_ID]


def apply_schedules(
    *,
    team: Team,
    participant_id: int,
    items: Iterable[ScheduleSave | ScheduleCancel],
    now: datetime,
) -> None:
    """Saves and cancels schedules of one participant, in two statements at most.

    Of several items with one id the last counts. Cancelling an unknown id does nothing.
    """
    last = {item.key: item for item in items}
    saves = [(key[1], item) for key, item in last.items() if isinstance(item, ScheduleSave)]
    cancels = [key for key, item in last.items() if isinstance(item, ScheduleCancel)]
    who: dict[str, Any] = {"team": team.pk, "participant": participant_id, "now": now}
    with connection.cursor() as cursor:
        if cancels:
            chatbots, external_ids = zip(*cancels, strict=True)
            cursor.execute(_CANCEL, who | {"chatbots": list(chatbots), "external_ids": list(external_ids)})
        if saves:
            cursor.execute(
                _SAVE,
                who
                | {
                    "chatbots": [item.chatbot_id for _, item in saves],
                    "public_ids": [uuid7() for _ in saves],
                    "external_ids": [external_id for external_id, _ in saves],
                    "names": [item.name for _, item in saves],
                    "prompts": [item.prompt for _, item in saves],
                    "dates": [item.date for _, item in saves],
                },
            )
