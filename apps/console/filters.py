"""Filters of lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from apps.chatbots.models import Chatbot
from apps.schedules.models import ScheduledMessage, Status

from .access import access_of


class ChatbotFilter(DropdownFilter):
    """The chatbots of the current team; none while a superuser looks at all teams."""

    title = "chatbot"
    parameter_name = "chatbot"
    lookup_path = "chatbot"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        team = access_of(request).team
        if team is None:
            return []
        rows = Chatbot.objects.for_team(team).order_by("name")[:1000]
        return [(str(public_id), name) for public_id, name in rows.values_list("public_id", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in (None, ""):
            return queryset
        chosen = [public_id for public_id, _ in self.lookup_choices if public_id == self.value()]
        if not chosen:
            return queryset.none()
        return queryset.filter(**{f"{self.lookup_path}__public_id": chosen[0]})


class KnownToFilter(ChatbotFilter):
    """Participants for whom a chatbot keeps data."""

    lookup_path = "data_set__chatbot"


class DueFilter(DropdownFilter):
    """Schedules that are still to be sent, by when. Days are in UTC, as all times here."""

    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", "Overdue"), ("today", "Today"), ("week", "In the next 7 days")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ScheduledMessage]
    ) -> QuerySet[ScheduledMessage]:
        if self.value() in (None, ""):
            return queryset
        now = timezone.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        waiting = queryset.filter(status=Status.PENDING)
        if team := access_of(request).team:
            # By chatbot, for that is how the table is indexed.
            waiting = waiting.filter(chatbot__in=Chatbot.objects.for_team(team))
        match self.value():
            case "overdue":
                return waiting.filter(due_at__lt=now)
            case "today":
                return waiting.filter(due_at__gte=midnight, due_at__lt=midnight + timedelta(days=1))
            case "week":
                return waiting.filter(due_at__gte=now, due_at__lt=now + timedelta(days=7))
        return queryset.none()
