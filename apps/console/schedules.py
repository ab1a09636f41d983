"""Schedules: when a chatbot is prompted to speak to whom."""

from __future__ import annotations

from datetime import datetime
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
from apps.schedules.queries import reason
from apps.schedules.recurrence import Recurrence
from apps.schedules.services import ScheduleCancel, ScheduleSave, apply_schedules, retry_schedule

from .access import access_of
from .attempts import AttemptInline
from .base import PARTICIPANTS, TeamAdmin, TeamForm, TeamInline, register
from .chart import chart
from .columns import CHANGED, CREATED, when
from .confirm import confirmed
from .filters import ChatbotFilter, DueFilter

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


@display(description="Not delivered because")
def not_delivered(row: ScheduledMessage) -> str:
    return reason(row) or "—"


@display(description="Repeats")
def repeats(row: ScheduledMessage) -> str:
    return f"{row.rrule} from {row.starts} in {row.timezone}" if row.is_recurring else "No"


def cancel(row: ScheduledMessage) -> bool:
    """False where a delivery was first."""
    apply_schedules(
        team=row.team,
        participant_id=row.participant_id,
        items=[ScheduleCancel(row.chatbot_id, row.external_id)],
        now=timezone.now(),
    )
    row.refresh_from_db(fields=["status"])
    return row.status == Status.CANCELLED


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
    list_display = ("name", status_label, DUE, "chatbot", "participant")
    list_select_related = ("participant", "chatbot")
    list_filter = (("status", ChoicesDropdownFilter), DueFilter, ChatbotFilter)
    query_parameters = ("participant__id__exact",)
    search_fields = ("name__istartswith",)
    search_help_text = "Name starts with"
    autocomplete_fields = ("participant",)
    add_fieldsets = (
        (None, {"fields": ("participant", "chatbot")}),
        ("What and when", {"fields": ("name", "prompt", "scheduled_for")}),
    )
    fieldsets = (
        (None, {"fields": ("participant", "chatbot", status_text, not_delivered, "attempts")}),
        ("What and when", {"fields": ("name", "prompt", "scheduled_for", NEXT, repeats)}),
        ("Record", {"fields": ("external_id", CREATED, CHANGED)}),
    )
    when_empty = "A schedule prompts a chatbot to speak to somebody at a moment."
    actions = ("cancel_selected", "retry_selected")
    actions_detail = ("cancel", "retry")
    inlines = (AttemptInline,)
    list_before_template = "console/schedule_chart.html"

    def get_readonly_fields(
        self, request: HttpRequest, obj: ScheduledMessage | None = None
    ) -> tuple[Any, ...]:
        if obj is None:
            return ()
        shown = (
            "participant",
            "chatbot",
            status_text,
            not_delivered,
            "attempts",
            NEXT,
            repeats,
            "external_id",
        )
        # A rule says when.
        return (*shown, CREATED, CHANGED, *(("scheduled_for",) if obj.is_recurring else ()))

    def get_inlines(self, request: HttpRequest, obj: ScheduledMessage | None) -> Any:
        return self.inlines if obj else ()

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        team = access_of(request).team
        if team and self.has_view_permission(request):
            kwargs["extra_context"] = {"chart": chart(team=team, now=timezone.now())}
        return super().changelist_view(request, *args, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: ScheduledMessage | None = None) -> bool:
        """What is being sent, or was, stays as it is; so does a rule that has ended."""
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or obj.status in ((Status.PENDING,) if obj.is_recurring else OPEN)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a schedule is cancelled, and its record stays

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_act(request, obj, CANCELLABLE)

    def has_retry_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_act(request, obj, (Status.FAILED,))

    def _may_act(self, request: HttpRequest, obj: Any, statuses: tuple[Status, ...]) -> bool:
        if not self.allows(request, self.needs.change):
            return False
        row = self.get_object(request, obj) if isinstance(obj, str) else None
        return row is None or row.status in statuses

    def save_model(self, request: HttpRequest, obj: ScheduledMessage, form: Any, change: bool) -> None:
        rule = None
        if obj.is_recurring:
            rule = Recurrence(obj.rrule, obj.timezone, datetime.fromisoformat(obj.starts))
        key = (obj.chatbot_id, obj.external_id or None)
        save = ScheduleSave(*key, obj.name, obj.prompt, obj.scheduled_for, rule)
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
        if not cancel(row):
            messages.error(request, "It was delivered meanwhile: that can't be taken back.")
            return None
        self.log_change(request, row, "Cancelled.")
        messages.success(request, f"“{row}” is cancelled.")
        return None

    @confirmed(
        button="Retry",
        question="Try this schedule again?",
        text="It is sent at once, under the same webhook id as before.",
        permission="retry",
        icon="replay",
        danger=False,
    )
    def retry(self, request: HttpRequest, row: ScheduledMessage) -> HttpResponse | None:
        if not retry_schedule(row.pk):
            messages.error(request, "Only a schedule that failed can be tried again.")
            return None
        self.log_change(request, row, "Tried again.")
        messages.success(request, f"“{row}” is due now.")
        return None

    @action(description="Cancel the selected schedules", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[ScheduledMessage]) -> None:
        rows = queryset.filter(status__in=CANCELLABLE).select_related("team")
        cancelled = [row for row in rows if cancel(row)]
        for row in cancelled:
            self.log_change(request, row, "Cancelled.")
        messages.success(request, f"{len(cancelled)} cancelled.")

    @action(description="Retry the selected schedules that failed", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[ScheduledMessage]) -> None:
        retried = [row for row in queryset if retry_schedule(row.pk)]
        for row in retried:
            self.log_change(request, row, "Tried again.")
        messages.success(request, f"{len(retried)} due now.")


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
