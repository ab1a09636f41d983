"""Schedules: when a chatbot is prompted to speak to whom."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.schedules.models import ScheduledMessage, Status
from apps.schedules.services import ScheduleCancel, ScheduleSave, apply_schedules

from .base import PARTICIPANTS, TeamAdmin, TeamForm, TeamInline, register
from .columns import CHANGED, CREATED, when
from .confirm import confirmed
from .filters import ChatbotFilter

STATUS_LABELS = {
    Status.PENDING: "info",
    Status.SENDING: "warning",
    Status.DELIVERED: "success",
    Status.FAILED: "danger",
    Status.CANCELLED: "",
}
DUE = when("due_at", "Due")
NEXT = when("due_at", "Next attempt")
OPEN = (Status.PENDING, Status.FAILED, Status.CANCELLED)
CANCELLABLE = (Status.PENDING, Status.SENDING, Status.FAILED)


@display(description="Status", label=STATUS_LABELS)
def status_label(row: ScheduledMessage) -> tuple[str, str]:
    return row.status, row.get_status_display()


@display(description="Status")
def status_text(row: ScheduledMessage) -> str:
    return row.get_status_display()


def cancel(row: ScheduledMessage) -> None:
    apply_schedules(
        team=row.team,
        participant_id=row.participant_id,
        items=[ScheduleCancel(row.chatbot_id, row.external_id)],
        now=timezone.now(),
    )


class ScheduleForm(TeamForm):
    class Meta:
        widgets = {
            "name": UnfoldAdminTextInputWidget,
            "prompt": UnfoldAdminTextareaWidget({"rows": 5}),
        }
        help_texts = {
            "prompt": "What the chatbot is told to say or do.",
            "scheduled_for": "In UTC. A moment that is past means at once.",
        }


@register(ScheduledMessage)
class ScheduledMessageAdmin(TeamAdmin):
    needs = PARTICIPANTS
    form = ScheduleForm
    list_display = ("name", "participant", "chatbot", status_label, DUE)
    list_select_related = ("participant", "chatbot")
    list_filter = (("status", ChoicesDropdownFilter), ChatbotFilter)
    query_parameters = ("participant__id__exact",)
    search_fields = ("name__istartswith",)
    search_help_text = "Name starts with"
    autocomplete_fields = ("participant",)
    add_fieldsets = (
        (None, {"fields": ("participant", "chatbot")}),
        ("What and when", {"fields": ("name", "prompt", "scheduled_for")}),
    )
    fieldsets = (
        (None, {"fields": ("participant", "chatbot", status_text, "attempts")}),
        ("What and when", {"fields": ("name", "prompt", "scheduled_for", NEXT)}),
        ("Record", {"fields": ("external_id", CREATED, CHANGED)}),
    )
    when_empty = "A schedule prompts a chatbot to speak to somebody at a moment."
    actions = ("cancel_selected",)
    actions_detail = ("cancel",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ScheduledMessage | None = None
    ) -> tuple[Any, ...]:
        if obj is None:
            return ()
        return ("participant", "chatbot", status_text, "attempts", NEXT, "external_id", CREATED, CHANGED)

    def has_change_permission(self, request: HttpRequest, obj: ScheduledMessage | None = None) -> bool:
        """What is being sent, or was, stays as it is."""
        return super().has_change_permission(request, obj) and (obj is None or obj.status in OPEN)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a schedule is cancelled, and its record stays

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not self.allows(request, self.needs.change):
            return False
        row = self.get_object(request, obj) if isinstance(obj, str) else None
        return row is None or row.status in CANCELLABLE

    def save_model(self, request: HttpRequest, obj: ScheduledMessage, form: Any, change: bool) -> None:
        save = ScheduleSave(obj.chatbot_id, obj.external_id or None, obj.name, obj.prompt, obj.scheduled_for)
        apply_schedules(team=obj.team, participant_id=obj.participant_id, items=[save], now=timezone.now())
        saved = ScheduledMessage.objects.for_team(obj.team).get(
            participant=obj.participant_id, chatbot=obj.chatbot_id, external_id=save.key[1]
        )
        obj.pk, obj.external_id = saved.pk, saved.external_id

    @confirmed(
        button="Cancel",
        question="Cancel this schedule?",
        text="It will not be sent. To have it sent after all, save it again.",
        permission="cancel",
        icon="event_busy",
    )
    def cancel(self, request: HttpRequest, row: ScheduledMessage) -> HttpResponse | None:
        cancel(row)
        self.log_change(request, row, "Cancelled.")
        messages.success(request, f"“{row}” is cancelled.")
        return None

    @action(description="Cancel the selected schedules", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[ScheduledMessage]) -> None:
        rows = queryset.filter(status__in=CANCELLABLE).select_related("team")
        for row in rows:
            cancel(row)
            self.log_change(request, row, "Cancelled.")
        messages.success(request, f"{len(rows)} cancelled.")


class ScheduleInline(TeamInline):
    """The schedules of one participant, newest first."""

    model = ScheduledMessage
    needs = PARTICIPANTS
    verbose_name_plural = "schedules"
    fields = ("opened", "chatbot_name", "status_text", "due")
    readonly_fields = fields
    ordering = ("-id",)
    per_page = 10

    status_text = staticmethod(status_text)
    due = staticmethod(DUE)

    @display(description="Name")
    def opened(self, row: ScheduledMessage) -> str:
        page = reverse("admin:schedules_scheduledmessage_change", args=[row.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', page, row.name)

    @display(description="Chatbot")
    def chatbot_name(self, row: ScheduledMessage) -> str:
        return row.chatbot.name

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScheduledMessage]:
        return super().get_queryset(request).select_related("chatbot")
