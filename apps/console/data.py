"""One chatbot's data of one participant."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.forms import CharField, HiddenInput, IntegerField, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from rest_framework.exceptions import ValidationError as InvalidData
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.api.fields import JSONObjectField
from apps.participants import json_text
from apps.participants.models import ParticipantData
from apps.participants.services import DataWrite, rewrite_data, save_data

from .base import PARTICIPANTS, TeamAdmin, TeamForm, current_team, register
from .columns import CHANGED
from .memory import memory_text, readable


class DataForm(TeamForm):
    text = CharField(
        label="Data",
        widget=UnfoldAdminTextareaWidget(
            {"rows": 18, "spellcheck": "false", "class": "memory-editor", "aria-label": "Data, as JSON"}
        ),
        help_text="A JSON object. It replaces what the chatbot keeps.",
    )
    version = IntegerField(widget=HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "text" in self.fields:
            is_there = self.instance.pk is not None
            self.fields["text"].initial = (readable(self.instance) if is_there else None) or "{}"
            self.fields["version"].initial = self.instance.version if is_there else None

    def clean_text(self) -> bytes:
        """Compact JSON text by the API's own rules: every value as it was written."""
        try:
            text: bytes = JSONObjectField().run_validation(json_text.parse(self.cleaned_data["text"]))
            return text
        except InvalidData as error:
            raise ValidationError([str(problem) for problem in error.detail]) from error
        except ValueError as error:
            raise ValidationError(f"This is not JSON: {error}") from error


@register(ParticipantData)
class ParticipantDataAdmin(TeamAdmin):
    """Reached from the participant's page: a list of all entries would tell nobody anything."""

    needs = PARTICIPANTS
    form = DataForm
    autocomplete_fields = ("participant",)
    list_select_related = ("participant", "chatbot")
    readonly_fields = ("participant", "chatbot", "version_count", CHANGED)

    @display(description="Written")
    def version_count(self, row: ParticipantData) -> str:
        return "once" if row.version == 1 else f"{row.version} times"

    @display(description="Data")
    def shown(self, row: ParticipantData) -> str:
        return memory_text(row)

    def get_fieldsets(self, request: HttpRequest, obj: ParticipantData | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("participant", "chatbot", "text")}),)
        if self.has_change_permission(request, obj):
            return ((None, {"fields": (*self.readonly_fields, "text", "version")}),)
        return ((None, {"fields": (*self.readonly_fields, "shown")}),)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ParticipantData | None = None
    ) -> tuple[Any, ...]:
        return (*self.readonly_fields, "shown") if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[ParticipantData]:
        return super().get_queryset(request).select_related("team", "participant", "chatbot")

    def has_change_permission(self, request: HttpRequest, obj: ParticipantData | None = None) -> bool:
        """What can't be decrypted is not written over by accident."""
        return super().has_change_permission(request, obj) and (obj is None or readable(obj) is not None)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:participants_participant_changelist"))

    def save_model(self, request: HttpRequest, obj: ParticipantData, form: Any, change: bool) -> None:
        text, now = form.cleaned_data["text"], timezone.now()
        if change:
            rewrite_data(
                team=obj.team,
                participant_id=obj.participant_id,
                chatbot_id=obj.chatbot_id,
                text=text,
                version=form.cleaned_data["version"],
                now=now,
            )
            return
        team, write = current_team(request), DataWrite(obj.chatbot_id, text)
        save_data(team=team, participant_id=obj.participant_id, writes=[write], now=now)
        saved = ParticipantData.objects.for_team(team)
        obj.pk = saved.get(participant=obj.participant_id, chatbot=obj.chatbot_id).pk

    def response_post_save_add(self, request: HttpRequest, obj: ParticipantData) -> HttpResponse:
        return self._to_participant(obj)

    def response_post_save_change(self, request: HttpRequest, obj: ParticipantData) -> HttpResponse:
        return self._to_participant(obj)

    def _to_participant(self, row: ParticipantData) -> HttpResponse:
        page = reverse("admin:participants_participant_change", args=[row.participant_id])
        return HttpResponseRedirect(page)
