"""Reads of schedules."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.timezone import now

from apps.chatbots.models import Chatbot
from apps.errors import DomainError
from apps.participants.queries import participants
from apps.teams.models import Team

from .models import DeliveryAttempt, ScheduledMessage, Status

# The latest: a rule may have made thousands.
SHOWN_ATTEMPTS = 100


class ScheduleNotFound(DomainError):
    message = "Not found."


def coming_schedules(*, team: Team, participant_id: int, chatbot_id: int) -> QuerySet[ScheduledMessage]:
    """What a chatbot is still to say to a person, soonest first."""
    rows = ScheduledMessage.objects.for_team(team).filter(participant=participant_id, chatbot=chatbot_id)
    return rows.filter(status__in=(Status.PENDING, Status.SENDING)).order_by("scheduled_for", "pk")


def schedules(
    *,
    team: Team,
    participant: UUID | None = None,
    identifier: str | None = None,
    chatbot: UUID | None = None,
    status: str | None = None,
    due_after: datetime | None = None,
    due_before: datetime | None = None,
) -> QuerySet[ScheduledMessage]:
    """A team's schedules, with all that is shown of each. `due_after` is included, `due_before` is not."""
    rows = ScheduledMessage.objects.for_team(team).select_related("participant", "chatbot__endpoint")
    bots = Chatbot.objects.for_team(team)
    # By chatbot, for that is how the table is indexed.
    rows = rows.filter(chatbot__in=bots if chatbot is None else bots.filter(public_id=chatbot))
    if participant is not None:
        rows = rows.filter(participant__in=participants(team=team).filter(public_id=participant))
    if identifier is not None:
        rows = rows.filter(participant__in=participants(team=team, identifier=identifier))
    if status is not None:
        rows = rows.filter(status=status)
    if due_after is not None:
        rows = rows.filter(due_at__gte=due_after)
    if due_before is not None:
        rows = rows.filter(due_at__lt=due_before)
    return rows


def schedule(*, team: Team, public_id: UUID) -> ScheduledMessage:
    """Raises ScheduleNotFound."""
    row = schedules(team=team).filter(public_id=public_id).first()
    if row is None:
        raise ScheduleNotFound
    return row


def latest_attempts(row: ScheduledMessage) -> list[DeliveryAttempt]:
    return list(row.attempt_set.order_by("-pk")[:SHOWN_ATTEMPTS])


def reason(row: ScheduledMessage) -> str:
    """Why a schedule was not delivered yet, in words; empty where there is nothing to say."""
    if row.status != Status.PENDING:
        return row.reason
    endpoint = getattr(row.chatbot, "endpoint", None)
    if endpoint is None:
        return "Its chatbot has no webhook endpoint: it waits until there is one."
    if not endpoint.is_enabled:
        said = f" {endpoint.disabled_reason}" if endpoint.disabled_reason else ""
        return f"The webhook endpoint of its chatbot is disabled: it waits.{said}"
    if endpoint.paused_until and max(row.due_at, now()) < endpoint.paused_until:
        return row.reason or "The webhook endpoint of its chatbot is in trouble: it waits for a moment."
    return row.reason
