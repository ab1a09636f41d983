"""OAuth2 applications of a team: made here, their secret shown once, removed here."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.forms import ChoiceField
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.access.models import Application
from apps.access.oauth import DOCS_CLIENT_ID
from apps.access.scopes import CREDENTIALS
from apps.access.services import create_application

from .access import access_of
from .base import Needs, TeamAdmin, TeamForm, register
from .columns import when
from .secret_pages import NewSecret, show_secret

CREATED = when("created", "Created")
KINDS = {
    "web": "A server that acts for people: authorization code, with a secret",
    "public": "A page or an app on a phone that acts for people: authorization code, without a secret",
    "machine": "A program that acts for no person: client credentials",
}


class ApplicationForm(TeamForm):
    kind = ChoiceField(choices=KINDS.items(), initial="web", widget=UnfoldAdminSelectWidget, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if redirect_uris := self.fields.get("redirect_uris"):
            redirect_uris.widget.attrs["rows"] = 3
            redirect_uris.help_text = (
                "Where people are sent back to, such as https://app.example/callback, one on a line. "
                "A machine has none."
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "kind" in self.fields and cleaned.get("kind") != "machine" and not cleaned.get("redirect_uris"):
            self.add_error("redirect_uris", "Say where people are sent back to.")
        return cleaned


@register(Application)
class ApplicationAdmin(TeamAdmin):
    needs = Needs.read_write(CREDENTIALS, CREDENTIALS)
    form = ApplicationForm
    view_on_site = False
    fields = ("name", "redirect_uris", "client_id", "kind_text", CREATED)
    readonly_fields = ("client_id", "kind_text", CREATED)
    add_fieldsets = ((None, {"fields": ("name", "kind", "redirect_uris")}),)
    list_display = ("name", "client_id", "kind_text", CREATED)
    search_fields = ("name__istartswith", "client_id__exact")
    search_help_text = "Search by the beginning of the name, or the client id"
    when_empty = (
        "A program that people let act for them, or that works without anybody, signs in with OAuth2."
    )
    also_deleted = "Every token that it has"

    @display(description="Kind")
    def kind_text(self, row: Application) -> str:
        if row.is_machine:
            return "Machine"
        return "Page or app" if row.client_type == Application.CLIENT_PUBLIC else "Server"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).exclude(client_id=DOCS_CLIENT_ID)

    def team_id_of(self, row: Application) -> int:
        # A global application is nobody's but the superusers', who reach every team.
        return row.team_id or 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser who looks at all teams registers a global application."""
        access = access_of(request)
        return super().has_add_permission(request) or (access.is_superuser and access.team is None)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return self.readonly_fields if obj else ()

    def save_model(self, request: HttpRequest, obj: Application, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name", "redirect_uris", "updated"])
            return
        kind = form.cleaned_data["kind"]
        made = create_application(
            team=access_of(request).team,
            name=obj.name,
            redirect_uris=obj.redirect_uris.split(),
            is_machine=kind == "machine",
            is_public=kind == "public",
        )
        obj.pk, obj.client_id, obj.shown_secret = made.application.pk, made.application.client_id, made.secret

    def response_add(
        self, request: HttpRequest, obj: Application, post_url_continue: Any = None
    ) -> HttpResponse:
        secret = {"Client secret": obj.shown_secret} if obj.shown_secret else {}
        return show_secret(
            request,
            NewSecret(
                title=f"{obj.name} is registered",
                help="Copy the secret now: it is not kept here and can't be shown again."
                if secret
                else "A page or an app can keep no secret; PKCE takes its place.",
                fields={"Client id": obj.client_id} | secret,
                next_url=reverse("admin:access_application_change", args=[obj.pk]),
            ),
        )
