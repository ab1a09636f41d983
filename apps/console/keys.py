"""API keys: made here, shown once, revoked here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.forms import ChoiceField
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.access.models import ApiKey
from apps.access.scopes import CREDENTIALS
from apps.access.services import create_api_key, revoke_api_key

from .access import access_of
from .base import Needs, TeamAdmin, TeamForm, current_team, register
from .columns import CREATED, when
from .confirm import confirmed
from .secret_pages import NewSecret, show_secret

EXPIRES = when("expires_at", "Expires", missing="Never")
LAST_USED = when("last_used_at", "Last used", missing="Never")
LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "Never"))


class ApiKeyForm(TeamForm):
    lifetime = ChoiceField(
        choices=LIFETIMES, initial="90", required=False, label="Expires after", widget=UnfoldAdminSelectWidget
    )


class StateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "Active"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        expired = Q(expires_at__lte=timezone.now())
        match self.value():
            case "active":
                return queryset.exclude(expired).filter(revoked_at=None)
            case "expired":
                return queryset.filter(expired, revoked_at=None)
            case "revoked":
                return queryset.exclude(revoked_at=None)
        return queryset


def state_of(key: ApiKey) -> tuple[str, str]:
    if key.revoked_at:
        return "revoked", "Revoked"
    if key.expires_at and key.expires_at <= timezone.now():
        return "expired", "Expired"
    return "active", "Active"


@register(ApiKey)
class ApiKeyAdmin(TeamAdmin):
    needs = Needs(view=CREDENTIALS, add=CREDENTIALS)
    form = ApiKeyForm
    readonly_fields = ("beginning", "state_text", "rights", "member", CREATED, EXPIRES, LAST_USED)
    fields = ("name", *readonly_fields)
    add_fieldsets = ((None, {"fields": ("name", "read_only", "lifetime")}),)
    list_display = ("name", "beginning", "state", "rights", "member", LAST_USED, EXPIRES)
    list_select_related = ("user",)
    list_filter = (StateFilter,)
    search_fields = ("name__istartswith", "hint__startswith")
    search_help_text = "Name or key starts with"
    when_empty = "A program sends its key with each request. Make one, and copy it when it is shown."
    actions = ("revoke_selected",)
    actions_detail = ("revoke",)

    @display(description="Key")
    def beginning(self, row: ApiKey) -> str:
        return f"{row.hint}…"

    @display(description="State", label={"active": "success", "expired": "warning", "revoked": "danger"})
    def state(self, row: ApiKey) -> tuple[str, str]:
        return state_of(row)

    @display(description="State")
    def state_text(self, row: ApiKey) -> str:
        return state_of(row)[1]

    @display(description="Speaks for")
    def member(self, row: ApiKey) -> str:
        return row.user.name or row.user.email

    @display(description="May")
    def rights(self, row: ApiKey) -> str:
        return "Read" if row.read_only else "Read and write"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A key speaks for the member who makes it."""
        members = {membership.team_id for membership in access_of(request).memberships}
        return super().has_add_permission(request) and current_team(request).pk in members

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, CREDENTIALS)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return self.readonly_fields if obj else ()

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        days = form.cleaned_data["lifetime"]
        made = create_api_key(
            team=current_team(request),
            user=request.user,  # type: ignore[arg-type]  # has_add_permission: a member
            name=obj.name,
            read_only=obj.read_only,
            expires_at=timezone.now() + timedelta(days=int(days)) if days else None,
        )
        obj.pk, obj.hint, obj.secret = made.key.pk, made.key.hint, made.secret  # type: ignore[attr-defined]  # for this answer

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        return show_secret(
            request,
            NewSecret(
                title="Your new API key",
                help="Copy it now: it is not kept here and can't be shown again. "
                "Send it in the header X-api-key, or as a Bearer token.",
                fields={obj.name: obj.secret},  # type: ignore[attr-defined]  # for this answer
                next_url=reverse("admin:access_apikey_change", args=[obj.pk]),
            ),
        )

    @confirmed(
        button="Revoke",
        question="Revoke this key?",
        text="Programs that use it are refused from the next request on. This can't be undone.",
        permission="revoke",
        icon="block",
    )
    def revoke(self, request: HttpRequest, row: ApiKey) -> None:
        revoke_api_key(row, now=timezone.now())
        self.log_change(request, row, "Revoked.")
        messages.success(request, f"{row} is revoked.")

    @action(description="Revoke the selected keys", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            revoke_api_key(key, now=timezone.now())
            self.log_change(request, key, "Revoked.")
        messages.success(request, f"{len(queryset)} revoked.")
