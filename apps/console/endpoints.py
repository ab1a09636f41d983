"""Webhook endpoints: where chatbots are prompted. Their secrets are shown once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.access.scopes import CHATBOTS_READ, CHATBOTS_WRITE, CREDENTIALS
from apps.chatbots import endpoints
from apps.chatbots.models import WebhookEndpoint
from apps.chatbots.services import (
    change_url,
    disable_endpoint,
    enable_endpoint,
    rotate_secret,
    set_endpoint,
)

from .base import Needs, TeamAdmin, TeamForm, register
from .columns import CHANGED, CREATED, moment
from .confirm import confirmed
from .filters import ChatbotFilter
from .secret_pages import NewSecret, show_secret

STATES = {"enabled": "Enabled", "failing": "Failing", "disabled": "Disabled"}
STATE_LABELS = {"enabled": "success", "failing": "warning", "disabled": "danger"}
VERIFY = (
    "Copy it now: it can't be shown again. The bot verifies each request with it, as the Standard Webhooks "
)
VERIFY += "specification says."


class EndpointForm(TeamForm):
    class Meta:
        widgets = {"url": UnfoldAdminTextInputWidget}
        labels = {"url": "URL"}
        help_texts = {"url": "Due schedules are POSTed here, such as https://bot.example.org/webhook."}

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            endpoints.parse(url)
        except endpoints.UnusableUrl as error:
            raise ValidationError(error.message) from error
        return url


class StateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATES.items())

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]
    ) -> QuerySet[WebhookEndpoint]:
        match self.value():
            case "enabled":
                return queryset.filter(is_enabled=True, failing_since=None)
            case "failing":
                return queryset.filter(is_enabled=True).exclude(failing_since=None)
            case "disabled":
                return queryset.filter(is_enabled=False)
        return queryset


def state_of(row: WebhookEndpoint) -> tuple[str, str]:
    state = "failing" if row.failing_since else "enabled"
    state = state if row.is_enabled else "disabled"
    return state, STATES[state]


@register(WebhookEndpoint)
class EndpointAdmin(TeamAdmin):
    # Who makes one is shown its secret.
    needs = Needs(view=CHATBOTS_READ, add=CREDENTIALS, change=CHATBOTS_WRITE, delete=CREDENTIALS)
    form = EndpointForm
    add_fieldsets = ((None, {"fields": ("chatbot", "url")}),)
    readonly_fields = ("chatbot", "state_text", "trouble", "signing", CREATED, CHANGED)
    fields = ("chatbot", "url", "state_text", "trouble", "signing", CREATED, CHANGED)
    list_display = ("chatbot", "address", "state", "trouble")
    list_select_related = ("chatbot",)
    list_filter = (StateFilter, ChatbotFilter)
    search_fields = ("chatbot__name__istartswith",)
    search_help_text = "Name of the chatbot starts with"
    when_empty = "A due schedule is sent to its chatbot's webhook. Until there is one, schedules wait."
    also_deleted = "Its secret. Schedules of the chatbot then wait"
    actions_detail = ("rotate", "enable", "disable")

    @display(description="URL")
    def address(self, row: WebhookEndpoint) -> str:
        return row.url

    @display(description="State", label=STATE_LABELS)
    def state(self, row: WebhookEndpoint) -> tuple[str, str]:
        return state_of(row)

    @display(description="State")
    def state_text(self, row: WebhookEndpoint) -> str:
        return state_of(row)[1]

    @display(description="Trouble")
    def trouble(self, row: WebhookEndpoint) -> str:
        if not row.is_enabled:
            return format_html("{} Disabled {}.", row.disabled_reason, moment(row.disabled_at))
        if row.failing_since:
            said = "1 attempt" if row.failures == 1 else f"{row.failures} attempts"
            return format_html(
                "It has not answered well since its first failure, {}: {} failed.",
                moment(row.failing_since),
                said,
            )
        return "—"

    @display(description="Signed by")
    def signing(self, row: WebhookEndpoint) -> str:
        until = row.previous_secret_until
        if until is None or until <= timezone.now():
            return "Its secret"
        return format_html("Its secret and the one before, which ends {}", moment(until))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return self.readonly_fields if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset(request).select_related("team", "chatbot")

    def has_rotate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, CREDENTIALS)

    def has_enable_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_switch(request, obj, is_enabled=False)

    def has_disable_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_switch(request, obj, is_enabled=True)

    def _may_switch(self, request: HttpRequest, obj: Any, *, is_enabled: bool) -> bool:
        if not self.allows(request, self.needs.change):
            return False
        row = self.get_object(request, obj) if isinstance(obj, str) else None
        return row is None or row.is_enabled is is_enabled

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if change:
            if form.has_changed():
                change_url(obj, url=obj.url, now=timezone.now())
            return
        made = set_endpoint(chatbot=obj.chatbot, url=obj.url, now=timezone.now())
        obj.pk, obj.new_secret = made.endpoint.pk, made.secret  # type: ignore[attr-defined]  # for this answer

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: Any = None
    ) -> HttpResponse:
        return self._show(request, obj, obj.new_secret, VERIFY)  # type: ignore[attr-defined]  # for this answer

    @confirmed(
        button="Rotate the secret",
        question="Make a new secret?",
        text="For 24 hours both the new secret and the present one sign each request, so that the bot can "
        "change over in its time. A secret before the present one ends at once.",
        permission="rotate",
        icon="autorenew",
        danger=False,
    )
    def rotate(self, request: HttpRequest, row: WebhookEndpoint) -> HttpResponse:
        made = rotate_secret(row, now=timezone.now())
        self.log_change(request, row, "Rotated the secret.")
        until = timezone.localtime(made.endpoint.previous_secret_until)
        help_text = f"{VERIFY} The secret before signs beside it until {until:%d %b %Y, %H:%M} {until:%Z}."
        return self._show(request, row, made.secret, help_text)

    @confirmed(
        button="Enable",
        question="Enable this webhook?",
        text="What waits for it and is due is sent at once.",
        permission="enable",
        icon="play_arrow",
        danger=False,
    )
    def enable(self, request: HttpRequest, row: WebhookEndpoint) -> None:
        enable_endpoint(row, now=timezone.now())
        self.log_change(request, row, "Enabled.")
        messages.success(request, "It is enabled: what waits is sent now.")

    @confirmed(
        button="Disable",
        question="Disable this webhook?",
        text="Nothing is sent to it. Schedules of its chatbot wait until it is enabled again.",
        permission="disable",
        icon="pause",
    )
    def disable(self, request: HttpRequest, row: WebhookEndpoint) -> None:
        disable_endpoint(row, reason="A member of the team disabled it.", now=timezone.now())
        self.log_change(request, row, "Disabled.")
        messages.success(request, "It is disabled: schedules wait.")

    def _show(self, request: HttpRequest, row: WebhookEndpoint, secret: str, help_text: str) -> HttpResponse:
        page = reverse("admin:chatbots_webhookendpoint_change", args=[row.pk])
        title = f"The webhook secret of {row.chatbot}"
        return show_secret(
            request, NewSecret(title=title, help=help_text, fields={"Signing secret": secret}, next_url=page)
        )
