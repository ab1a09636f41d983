"""The chatbots of a team, and where each is prompted."""

import uuid

from django.db import models
from django.utils import timezone

from apps.encryption import SealedField
from apps.teams.models import Team, TeamOwned, TeamQuerySet

from . import signing


class Chatbot(TeamOwned):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TeamQuerySet["Chatbot"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("team", "name"), name="chatbot_name_once_a_team"),
            # What the foreign keys of data and schedules point at: a row of one team can't name
            # a chatbot of another.
            models.UniqueConstraint(fields=("team", "id"), name="chatbot_of_team"),
        )

    def __str__(self) -> str:
        return self.name


class WebhookEndpoint(TeamOwned):
    """Where a chatbot is prompted. Its secrets are sealed by `signing`, and shown once."""

    # A migration ties (team, chatbot) to a chatbot of that team: see ADR 2.
    team = models.ForeignKey(Team, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    chatbot = models.OneToOneField(Chatbot, models.CASCADE, related_name="endpoint", db_constraint=False)
    url = models.TextField(help_text="Due schedules are POSTed here.")
    secret = SealedField(bound_to=("chatbot_id",), binding=signing.binding)
    previous_secret = SealedField(
        bound_to=("chatbot_id",), binding=signing.binding, null=True, blank=True, editable=False
    )
    previous_secret_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until then both secrets sign."
    )
    is_enabled = models.BooleanField(default=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.TextField(blank=True, editable=False)
    # Kept by the deliveries: `apps.schedules.health`.
    failing_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The first failure since it last answered well."
    )
    failures = models.PositiveIntegerField(
        default=0, editable=False, help_text="Attempts that failed since it last answered well."
    )
    paused_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Nothing is sent before."
    )
    pause_seconds = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TeamQuerySet["WebhookEndpoint"].as_manager()

    def __str__(self) -> str:
        return self.url
