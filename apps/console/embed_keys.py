"""Embed keys: what the pages of a site show to use a chatbot's widget."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import CharField
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.access import origins
from apps.access.embedding import create_embed_key, revoke_embed_key
from apps.access.models import EmbedKey
from apps.access.scopes import CREDENTIALS

from .base import Needs, TeamAdmin, TeamForm, current_team, register
from .columns import CREATED
from .confirm import confirmed


class Lines(CharField):
    """A list of texts, one on a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return list(dict.fromkeys(line.strip() for line in (value or "").splitlines() if line.strip()))

    def run_validators(self, value: Any) -> None:
        """The text of each line is the form's to check."""


class EmbedKeyForm(TeamForm):
    allowed_origins = Lines(
        label="Allowed origins",
        help_text="The sites whose pages may use it, one on a line: https://site.example, or "
        "https://*.site.example for its subdomains.",
    )
    writable_keys = Lines(
        label="Writable keys",
        required=False,
        help_text="The top-level keys of the chatbot's data that visitors may change about themselves, "
        "one on a line. None if empty.",
    )

    def clean_allowed_origins(self) -> list[str]:
        try:
            return [origins.normalise(text) for text in self.cleaned_data["allowed_origins"]]
        except origins.NoOrigin as error:
            raise ValidationError(error.message) from error


@register(EmbedKey)
class EmbedKeyAdmin(TeamAdmin):
    needs = Needs(view=CREDENTIALS, add=CREDENTIALS, change=CREDENTIALS)
    form = EmbedKeyForm
    fields = ("name", "chatbot", "allowed_origins", "writable_keys", "key", "state", CREATED)
    readonly_fields = ("chatbot", "key", "state", CREATED)
    add_fieldsets = ((None, {"fields": ("name", "chatbot", "allowed_origins", "writable_keys")}),)
    list_display = ("name", "chatbot", "sites", "state", CREATED)
    list_select_related = ("chatbot",)
    search_fields = ("name__istartswith",)
    search_help_text = "Search by the beginning of the name"
    when_empty = "A page of your site shows an embed key, and its visitors meet the chatbot that it is for."
    actions_detail = ("revoke",)

    @display(description="Sites")
    def sites(self, row: EmbedKey) -> str:
        return ", ".join(row.allowed_origins)

    @display(description="State", label={"active": "success", "revoked": "danger"})
    def state(self, row: EmbedKey) -> tuple[str, str]:
        return ("revoked", "Revoked") if row.revoked_at else ("active", "Active")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return self.readonly_fields if obj else ()

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, CREDENTIALS)

    def save_model(self, request: HttpRequest, obj: EmbedKey, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name", "allowed_origins", "writable_keys"])
            return
        made = create_embed_key(
            team=current_team(request),
            chatbot=obj.chatbot,
            name=obj.name,
            allowed_origins=obj.allowed_origins,
            writable_keys=obj.writable_keys,
        )
        obj.pk, obj.key = made.pk, made.key

    @confirmed(
        button="Revoke",
        question="Revoke this key?",
        text="Pages that use it, and their visitors, are refused from the next request on.",
        permission="revoke",
        icon="block",
    )
    def revoke(self, request: HttpRequest, row: EmbedKey) -> None:
        revoke_embed_key(row, now=timezone.now())
        self.log_change(request, row, "Revoked.")
        messages.success(request, f"{row} is revoked.")
