"""Participants, and what chatbots keep of them."""

from __future__ import annotations

from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.forms import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.views import ChangeList

from apps.participants.models import MAX_IDENTIFIER, Participant, ParticipantData
from apps.participants.platforms import normalise_identifier
from apps.participants.services import rename_participant, save_participant

from .base import PARTICIPANTS, TeamAdmin, TeamForm, current_team, register
from .columns import CHANGED, CREATED
from .filters import KnownToFilter
from .memory import memory_panel
from .schedules import ScheduleInline


class ParticipantForm(TeamForm):
    def clean(self) -> dict[str, Any]:
        fields = super().clean() or {}
        if self.instance.pk is None and "identifier" in fields and "platform" in fields:
            fields["identifier"] = normalise_identifier(fields["identifier"], fields["platform"])
            if len(fields["identifier"]) > MAX_IDENTIFIER:
                self.add_error("identifier", ValidationError("The identifier is too long."))
        return fields


class WithKnownChatbots(ChangeList):
    """One more query a page, for names of chatbots only: a list must not read what they keep."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Participant]:
        known = ParticipantData.objects.select_related("chatbot").order_by("id")
        known = known.only("participant_id", "chatbot__name")
        rows: QuerySet[Participant] = super().get_queryset(request, exclude_parameters)
        return rows.prefetch_related(Prefetch("data_set", known))


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@register(Participant)
class ParticipantAdmin(TeamAdmin):
    needs = PARTICIPANTS
    form = ParticipantForm
    list_display = ("person", "platform_label", "known_to", CHANGED)
    list_display_links = ("person",)
    list_filter = (("platform", ChoicesDropdownFilter), KnownToFilter)
    search_fields = ("identifier",)
    search_help_text = "Identifier or name starts with"
    add_fieldsets = ((None, {"fields": ("platform", "identifier", "name")}),)
    fieldsets = (
        (None, {"fields": ("name", "identifier", "platform", "remote_id")}),
        ("What chatbots know", {"fields": ("memory",), "classes": ("memory",)}),
        ("Record", {"fields": ("public_id", CREATED, CHANGED)}),
    )
    inlines = (ScheduleInline,)
    when_empty = "A participant appears with the first call of the API that names them."
    also_deleted = "What chatbots know of them, and their schedules"

    @display(description="Participant", header=True)
    def person(self, row: Participant) -> list[str]:
        return [row.name or row.identifier, row.identifier if row.name else ""]

    @display(description="Platform", label=True)
    def platform_label(self, row: Participant) -> str:
        return row.get_platform_display()

    @display(description="Known to")
    def known_to(self, row: Participant) -> str:
        return ", ".join(entry.chatbot.name for entry in row.data_set.all()) or "—"

    @display(description="")
    def memory(self, row: Participant) -> str:
        return row.memory()  # type: ignore[attr-defined,no-any-return]  # get_object

    def get_readonly_fields(self, request: HttpRequest, obj: Participant | None = None) -> tuple[Any, ...]:
        if obj is None:
            return ()
        return ("identifier", "platform", "remote_id", "memory", "public_id", CREATED, CHANGED)

    def get_inlines(self, request: HttpRequest, obj: Participant | None) -> Any:
        return self.inlines if obj else ()

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Participant | None:
        found: Participant | None = super().get_object(request, *args, **kwargs)
        if found:
            # Once a page: unfold asks for the same field several times.
            editable = self.has_change_permission(request, found)
            found.memory = cache(partial(memory_panel, found, editable=editable))  # type: ignore[attr-defined]  # for this page
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participant]:
        return super().get_queryset(request).select_related("team")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithKnownChatbots

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Participant], search_term: str
    ) -> tuple[QuerySet[Participant], bool]:
        """By what indexes find among millions: the beginning of an identifier or of a name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        # The index on names leaves the nameless out, and the query must say so too.
        found = Q(identifier__startswith=term) | (Q(name__istartswith=term) & ~Q(name=""))
        if (lowered := term.lower()) != term:  # CommCare Connect's are kept in lower case
            found |= Q(identifier__startswith=lowered)
        if public_id := as_uuid(term):
            found |= Q(public_id=public_id)
        return queryset.filter(found), False

    def save_model(self, request: HttpRequest, obj: Participant, form: Any, change: bool) -> None:
        now = timezone.now()
        if change:
            rename_participant(team=obj.team, participant_id=obj.pk, name=obj.name, now=now)
            return
        saved = save_participant(
            team=current_team(request),
            platform=obj.platform,
            identifier=obj.identifier,
            name=obj.name,
            now=now,
        )
        obj.pk = saved.id
