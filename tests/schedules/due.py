"""Schedules that are due, and a look at what became of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.timezone import now

from apps.chatbots.models import Chatbot
from apps.chatbots.services import NewSecret, set_endpoint
from apps.participants.services import save_participant
from apps.schedules.claims import Claimed, Settled, claim
from apps.schedules.models import DeliveryAttempt, Outcome, ScheduledMessage, Status
from apps.schedules.services import ScheduleCancel, ScheduleSave, apply_schedules

MOMENT = datetime(2026, 5, 4, 9, tzinfo=UTC)


def endpoint(bot: Chatbot, url: str = "http://127.0.0.1:9/hook") -> NewSecret:
    return set_endpoint(chatbot=bot, url=url, now=now())


def schedule(workspace, *, bot: Chatbot | None = None, **fields: Any) -> ScheduledMessage:
    return schedules(workspace, 1, bot=bot, **fields)[0]


def schedules(
    workspace, count: int, *, bot: Chatbot | None = None, who: str = "ada", **fields: Any
) -> list[ScheduledMessage]:
    """New ones of one participant, due for a minute unless `date` says otherwise, in their order."""
    bot = bot or workspace.bot
    person = save_participant(team=workspace.team, platform="api", identifier=who, name="Ada", now=now())
    prefix = fields.pop("external_id", f"{bot.pk}-{ScheduledMessage.objects.count()}")
    given = {"name": "Visit", "prompt": "Say hello", "date": now() - timedelta(minutes=1)} | fields
    items = [
        ScheduleSave(chatbot_id=bot.pk, external_id=f"{prefix}-{number}", **given) for number in range(count)
    ]
    apply_schedules(team=workspace.team, participant_id=person.id, items=items, now=now())
    names = [item.external_id for item in items]
    return list(ScheduledMessage.objects.filter(external_id__in=names, chatbot=bot).order_by("id"))


def claim_all(limit: int = 1000, *, each: int = 1000, cautious: int = 3, busy=None) -> list[Claimed]:
    return claim(limit=limit, each=each, cautious=cautious, busy=busy or {})


def make_due(row: ScheduledMessage) -> None:
    ScheduledMessage.objects.filter(pk=row.pk).update(due_at=now() - timedelta(seconds=1))


def attempts(row: ScheduledMessage) -> list[DeliveryAttempt]:
    return list(row.attempt_set.order_by("id"))


def settled(claimed, **fields) -> Settled:
    given = {"outcome": Outcome.DELIVERED, "status": Status.DELIVERED, "status_code": 200} | fields
    return Settled(attempt_id=claimed.attempt_id, schedule_id=claimed.schedule_id, **given)


def edit(row: ScheduledMessage, **fields) -> None:
    given = {"name": row.name, "prompt": row.prompt, "date": row.scheduled_for} | fields
    item = ScheduleSave(chatbot_id=row.chatbot_id, external_id=row.external_id, **given)
    apply_schedules(team=row.team, participant_id=row.participant_id, items=[item], now=now())
    row.refresh_from_db()


def cancel(row: ScheduledMessage) -> None:
    item = ScheduleCancel(row.chatbot_id, row.external_id)
    apply_schedules(team=row.team, participant_id=row.participant_id, items=[item], now=now())
    row.refresh_from_db()
