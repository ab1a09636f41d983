"""Reads of schedules."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.utils.timezone import now

from apps.errors import DomainError
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


def schedules(*, team: Team) -> QuerySet[ScheduledMessage]:
    """A team's schedules, with all that is shown of each."""
    return ScheduledMessage.objects.for_team(team).select_related("participant", "chatbot__endpoint")


def schedules_in_order(*, team: Team, ids: Sequence[int]) -> list[ScheduledMessage]:
    """Those with these internal ids that are still there."""
    found = schedules(team=team).in_bulk(ids)
    return [found[key] for key in ids if key in found]


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
