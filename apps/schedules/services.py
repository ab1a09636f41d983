"""Writes of schedules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from apps.sql import execute
from apps.teams.identifiers import uuid7
from apps.teams.models import Team

from .models import MAX_EXTERNAL_ID
from .recurrence import Recurrence

# A schedule that is already as the request says is left alone, and an attempt or retries that are under way
# with it. So is one that was delivered for this very moment (the contract). Any other becomes what the
# request says, and an attempt that is under way no longer counts. What an attempt may have told the receiver
# is not said again under the same number.
#
# The clock is the database's, read once the row is locked: the record shows which was first, this or an
# attempt.
_SAVE = """
    INSERT INTO schedules_scheduledmessage AS s
           (team_id, participant_id, chatbot_id, public_id, external_id, name, prompt,
            scheduled_for, due_at, status, attempts, created_at, updated_at, rrule, timezone, starts)
    SELECT %(team)s, %(participant)s, chatbot, public_id, external_id, name, prompt,
           scheduled_for, scheduled_for, 'pending', 0, %(now)s, %(now)s, rrule, timezone, starts
      FROM json_to_recordset(%(items)s)
           AS item (chatbot bigint, public_id uuid, external_id text, name text, prompt text,
                    scheduled_for timestamptz, rrule text, timezone text, starts text, position int)
     ORDER BY position
        ON CONFLICT (participant_id, chatbot_id, external_id) DO UPDATE
       SET name = excluded.name, prompt = excluded.prompt, scheduled_for = excluded.scheduled_for,
           due_at = excluded.due_at, status = 'pending', attempts = 0, claim = NULL, reason = '',
           rrule = excluded.rrule, timezone = excluded.timezone, starts = excluded.starts,
           -- An attempt that began while this waited for the row is seen in the row alone.
           occurrence = s.occurrence + CASE WHEN s.attempts > 0 THEN 1 ELSE (SELECT count(*) FROM (
               SELECT FROM schedules_deliveryattempt a
                WHERE a.schedule_id = s.id AND a.occurrence = s.occurrence LIMIT 1) AS begun) END,
           updated_at = clock_timestamp()
     WHERE NOT (s.status = 'delivered' AND s.fired_for = excluded.scheduled_for)
       AND NOT (s.status IN ('pending', 'sending')
                AND (s.name, s.prompt, s.rrule, s.timezone, s.starts)
                    = (excluded.name, excluded.prompt, excluded.rrule, excluded.timezone, excluded.starts)
                AND (s.rrule <> '' OR s.scheduled_for = excluded.scheduled_for))
"""

# What was delivered stays so: it can't be taken back.
_CANCEL = """
    UPDATE schedules_scheduledmessage AS s
       SET status = 'cancelled', claim = NULL, reason = '', updated_at = clock_timestamp()
      FROM unnest(%(chatbots)s::bigint[], %(external_ids)s::text[]) AS item (chatbot, external_id)
     WHERE s.team_id = %(team)s AND s.participant_id = %(participant)s
       AND s.chatbot_id = item.chatbot AND s.external_id = item.external_id
       AND s.status IN ('pending', 'sending', 'failed')
"""

# Ten new attempts at the same message: the receiver drops it if it had it after all.
_RETRY = """
    UPDATE schedules_scheduledmessage
       SET status = 'pending', due_at = now(), attempts = 0, claim = NULL, reason = '',
           updated_at = clock_timestamp()
     WHERE id = %s AND status = 'failed'
"""


@dataclass(frozen=True, slots=True)
class ScheduleSave:
    """Create or change a schedule. `date` is aware: the moment, or the first one of a recurrence.

    Without an id one is derived.
    """

    chatbot_id: int
    external_id: str | None
    name: str
    prompt: str
    date: datetime
    recurrence: Recurrence | None = None

    @property
    def key(self) -> tuple[int, str]:
        return self.chatbot_id, self.external_id or derived_id(self)

    @property
    def rule_columns(self) -> tuple[str, str, str]:
        rule = self.recurrence
        return (rule.rule, rule.timezone, rule.starts.isoformat()) if rule else ("", "", "")


@dataclass(frozen=True, slots=True)
class ScheduleCancel:
    chatbot_id: int
    external_id: str

    @property
    def key(self) -> tuple[int, str]:
        return self.chatbot_id, self.external_id


def derived_id(item: ScheduleSave) -> str:
    """The id of a schedule that came without one: the same for the same content, so that a repeated
    request finds the schedule that it made."""
    when = item.rule_columns if item.recurrence else (item.date.astimezone(UTC).isoformat(),)
    content = json.dumps([item.name, item.prompt, *when])
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
    if cancels:
        chatbots, external_ids = zip(*cancels, strict=True)
        execute(_CANCEL, who | {"chatbots": list(chatbots), "external_ids": list(external_ids)})
    if saves:
        rows = [_row(position, external_id, item) for position, (external_id, item) in enumerate(saves)]
        execute(_SAVE, who | {"items": orjson.dumps(rows).decode()})


def _row(position: int, external_id: str, item: ScheduleSave) -> dict[str, Any]:
    rrule, timezone, starts = item.rule_columns
    return {
        "position": position,
        "chatbot": item.chatbot_id,
        "public_id": uuid7(),
        "external_id": external_id,
        "name": item.name,
        "prompt": item.prompt,
        "scheduled_for": item.date,
        "rrule": rrule,
        "timezone": timezone,
        "starts": starts,
    }


def retry_schedule(schedule_id: int) -> bool:
    """Makes a failed schedule due at once. False, and nothing done, when it is not failed."""
    return bool(execute(_RETRY, [schedule_id]))
