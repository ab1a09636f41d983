"""The team's chatbots."""

from __future__ import annotations

from django.contrib.admin import display
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.access.scopes import CHATBOTS_READ, CHATBOTS_WRITE
from apps.chatbots.models import Chatbot

from .base import Needs, TeamAdmin, register
from .columns import CREATED


@register(Chatbot)
class ChatbotAdmin(TeamAdmin):
    needs = Needs.read_write(CHATBOTS_READ, CHATBOTS_WRITE)
    fields = ("name", "api_id", CREATED)
    readonly_fields = ("api_id", CREATED)
    list_display = ("name", "api_id", CREATED)
    search_fields = ("name__istartswith",)
    search_help_text = "Search by the beginning of the name"
    when_empty = "A chatbot is what participants talk to. Its id is what the API names it by."
    also_deleted = "What they keep of participants, and their schedules"

    @display(description="ID for the API")
    def api_id(self, row: Chatbot) -> SafeString | str:
        if row.pk is None:
            return "Made when you save."
        return format_html('<code class="font-mono select-all">{}</code>', row.public_id)
