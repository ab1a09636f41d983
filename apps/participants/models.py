"""The people that a team's chatbots talk to, and what each chatbot keeps of them."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone

from apps.chatbots.models import Chatbot
from apps.encryption import SealedField
from apps.teams.identifiers import uuid7
from apps.teams.models import Team, TeamOwned, TeamQuerySet

from . import encryption
from .platforms import Platform

MAX_IDENTIFIER = 320
MAX_NAME = 320


class Participant(TeamOwned):
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    platform = models.CharField(max_length=32, choices=Platform, default=Platform.API)
    identifier = models.CharField(max_length=MAX_IDENTIFIER)
    name = models.CharField(max_length=MAX_NAME, blank=True)
    remote_id = models.CharField(max_length=MAX_IDENTIFIER, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TeamQuerySet["Participant"].as_manager()

    class Meta:
        constraints = (
            # Who a participant is, and what settles two requests that create them at once.
            models.UniqueConstraint(fields=("team", "platform", "identifier"), name="participant_identity"),
            # The order of the list, and what data and schedules refer to: see ADR 2.
            models.UniqueConstraint(fields=("team", "id"), name="participant_of_team"),
        )
        indexes = (
            # These operator classes serve the beginning of a text whatever the collation; equality too.
            models.Index(
                fields=("team", "identifier"),
                name="participant_by_identifier",
                opclasses=("int8_ops", "text_pattern_ops"),
            ),
            models.Index(
                "team",
                OpClass(Upper("name"), "text_pattern_ops"),
                name="participant_by_name",
                condition=~Q(name=""),
            ),
            models.Index(fields=("team", "platform", "id"), name="participant_by_platform"),
        )

    def __str__(self) -> str:
        return self.identifier


class ParticipantData(TeamOwned):
    """What one chatbot keeps of one person: JSON text, sealed by `encryption.seal`."""

    # A migration ties (team, participant) and (team, chatbot) to rows of that team: see ADR 2.
    team = models.ForeignKey(Team, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    participant = models.ForeignKey(
        Participant, models.CASCADE, related_name="data_set", db_constraint=False, db_index=False
    )
    chatbot = models.ForeignKey(
        Chatbot, models.CASCADE, related_name="data_set", db_constraint=False, db_index=False
    )
    data = SealedField(bound_to=("participant_id", "chatbot_id"), binding=encryption.binding)
    version = models.PositiveIntegerField(
        default=0, help_text="How often the data was written; 0 for an entry that was never given any."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TeamQuerySet["ParticipantData"].as_manager()

    class Meta:
        verbose_name = "data"
        verbose_name_plural = "participant data"
        constraints = (
            models.UniqueConstraint(fields=("participant", "chatbot"), name="data_once_a_chatbot"),
        )
        indexes = (
            # The list of those who have data for a chatbot, newest first.
            models.Index(fields=("chatbot", "participant"), name="data_by_chatbot"),
        )

    def __str__(self) -> str:
        return f"{self.chatbot} about {self.participant}"
