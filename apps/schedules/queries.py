"""Reads of schedules."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.teams.models import Team

from .models import ScheduledMessage, Status


def coming_schedules(*, team: Team, participant_id: int, chatbot_id: int) -> QuerySet[ScheduledMessage]:
    """What a chatbot is still to say to a person, soonest first."""
    rows = ScheduledMessage.objects.for_team(team).filter(participant=participant_id, chatbot=chatbot_id)
    return rows.filter(status__in=(Status.PENDING, Status.SENDING)).order_by("scheduled_for", "pk")
