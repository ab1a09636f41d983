"""Making chatbots, and saying where they are prompted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.teams.models import Team, TeamQuerySet

from . import endpoints, signing
from .models import Chatbot, WebhookEndpoint

# How long the former secret goes on signing beside the new one.
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """`secret` can't be had again: it is stored sealed, and shown nowhere."""

    endpoint: WebhookEndpoint
    secret: str


def ensure_chatbot(*, team: Team, name: str) -> Chatbot:
    return Chatbot.objects.get_or_create(team=team, name=name)[0]


@transaction.atomic
def set_endpoint(*, chatbot: Chatbot, url: str, now: datetime) -> NewSecret:
    """Sets where a chatbot is prompted, enabled, with a new secret. A former one signs on for a while.

    Raises UnusableUrl.
    """
    endpoints.parse(url)
    endpoint = _locked(chatbot.team).filter(chatbot=chatbot).first()
    if endpoint is None:
        secret = signing.new_secret()
        endpoint = WebhookEndpoint.objects.create(
            team_id=chatbot.team_id,
            chatbot=chatbot,
            url=url.strip(),
            secret=signing.seal(secret, chatbot_id=chatbot.pk),
        )
        return NewSecret(endpoint, secret)
    change_url(endpoint, url=url, now=now)
    enable_endpoint(endpoint, now=now)
    return rotate_secret(endpoint, now=now)


def change_url(endpoint: WebhookEndpoint, *, url: str, now: datetime) -> None:
    """Raises UnusableUrl."""
    endpoints.parse(url)
    endpoint.url, endpoint.updated_at = url.strip(), now
    endpoint.save(update_fields=["url", "updated_at"])


@transaction.atomic
def rotate_secret(endpoint: WebhookEndpoint, *, now: datetime, overlap: timedelta = OVERLAP) -> NewSecret:
    """A new secret. Until the overlap has passed both sign, so that the receiver can change at leisure."""
    endpoint.refresh_from_db(from_queryset=_locked(endpoint.team))
    secret = signing.new_secret()
    endpoint.previous_secret = endpoint.secret
    endpoint.previous_secret_until = now + overlap
    endpoint.secret = signing.seal(secret, chatbot_id=endpoint.chatbot_id)
    endpoint.updated_at = now
    endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until", "updated_at"])
    return NewSecret(endpoint, secret)


def _locked(team: Team) -> TeamQuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.for_team(team).select_for_update()


def enable_endpoint(endpoint: WebhookEndpoint, *, now: datetime) -> None:
    """What is due goes out at the next sweep; what was held against the endpoint is forgotten."""
    endpoint.is_enabled, endpoint.disabled_at, endpoint.disabled_reason = True, None, ""
    endpoint.failing_since, endpoint.failures = None, 0
    endpoint.paused_until, endpoint.pause_seconds = None, 0
    endpoint.updated_at = now
    endpoint.save(
        update_fields=[
            "is_enabled",
            "disabled_at",
            "disabled_reason",
            "failing_since",
            "failures",
            "paused_until",
            "pause_seconds",
            "updated_at",
        ]
    )


def disable_endpoint(endpoint: WebhookEndpoint, *, reason: str, now: datetime) -> None:
    """Schedules then wait, as pending. `reason` is shown to the team."""
    endpoint.is_enabled, endpoint.disabled_at, endpoint.disabled_reason = False, now, reason
    endpoint.updated_at = now
    endpoint.save(update_fields=["is_enabled", "disabled_at", "disabled_reason", "updated_at"])
