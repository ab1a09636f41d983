"""The team's chatbots."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import display
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.access.embedding import rotate_identity_secret
from apps.access.scopes import CHATBOTS_READ, CHATBOTS_WRITE, CREDENTIALS
from apps.chatbots.models import Chatbot

from .base import Needs, TeamAdmin, register
from .columns import CREATED
from .confirm import confirmed
from .secret_pages import NewSecret, show_secret


@register(Chatbot)
class ChatbotAdmin(TeamAdmin):
    needs = Needs.read_write(CHATBOTS_READ, CHATBOTS_WRITE)
    fields = ("name", "api_id", CREATED)
    readonly_fields = ("api_id", CREATED)
    list_display = ("name", "api_id", CREATED)
    search_fields = ("name__istartswith",)
    search_help_text = "Name starts with"
    when_empty = "A chatbot is what participants talk to. Its id is what the API names it by."
    actions_detail = ("new_identity_secret",)
    also_deleted = "What they keep of participants, and their schedules"

    @display(description="ID for the API")
    def api_id(self, row: Chatbot) -> SafeString | str:
        if row.pk is None:
            return "Made when you save."
        return format_html('<code class="font-mono select-all">{}</code>', row.public_id)

    def has_credentials_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, CREDENTIALS)

    @confirmed(
        button="New identity secret",
        question="Make a new identity secret?",
        text="Your site's server signs with it to say who a visitor of the widget is. The secret before, if "
        "there is one, stops working at once.",
        permission="credentials",
        icon="fingerprint",
        danger=False,
    )
    def new_identity_secret(self, request: HttpRequest, row: Chatbot) -> HttpResponse:
        secret = rotate_identity_secret(row)
        self.log_change(request, row, "Made a new identity secret.")
        return show_secret(
            request,
            NewSecret(
                title=f"The identity secret of {row}",
                help="Copy it now: it can't be shown again. Sign with HS256: sub is the visitor, aud the "
                "chatbot's id, exp at most 10 minutes ahead.",
                fields={"Identity secret": secret, "Chatbot's id": str(row.public_id)},
                next_url=reverse("admin:chatbots_chatbot_change", args=[row.pk]),
            ),
        )
