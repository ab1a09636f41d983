"""The channels on which a participant meets a chatbot (the contract's list)."""

from django.db import models


class Platform(models.TextChoices):
    TELEGRAM = "telegram", "Telegram"
    WEB = "web", "Web"
    WHATSAPP = "whatsapp", "WhatsApp"
    FACEBOOK = "facebook", "Facebook"
    SUREADHERE = "sureadhere", "SureAdhere"
    API = "api", "API"
    SLACK = "slack", "Slack"
    COMMCARE_CONNECT = "commcare_connect", "CommCare Connect"
    EVALUATIONS = "evaluations", "Evaluations"
    EMBEDDED_WIDGET = "embedded_widget", "Embedded widget"
    EMAIL = "email", "Email"


def normalise_identifier(identifier: str, platform: str) -> str:
    """The one spelling under which a person is kept on a platform: case tells people apart,
    except on CommCare Connect (the contract)."""
    return identifier.lower() if platform == Platform.COMMCARE_CONNECT else identifier
