"""Making chatbots."""

from apps.teams.models import Team

from .models import Chatbot


def ensure_chatbot(*, team: Team, name: str) -> Chatbot:
    return Chatbot.objects.get_or_create(team=team, name=name)[0]
