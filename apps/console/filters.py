"""Filters of lists."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from apps.chatbots.models import Chatbot

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
