"""Prompts that a chatbot is to speak at a moment."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.chatbots.models import Chatbot
from apps.participants.models import Participant
from apps.teams.identifiers import uuid7
from apps.teams.models import Team, TeamOwned, TeamQuerySet

MAX_EXTERNAL_ID = 32


class Status(models.TextChoices):
    PENDING = "pending", "Pending"
    SENDING = "sending", "Sending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class ScheduledMessage(TeamOwned):
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    # A migration ties (team, participant) and (team, chatbot) to rows of that team: see ADR 2.
    team = models.ForeignKey(Team, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    participant = models.ForeignKey(
        Participant, models.CASCADE, related_name="schedules", db_constraint=False, db_index=False
    )
    chatbot = models.ForeignKey(
        Chatbot, models.CASCADE, related_name="schedules", db_constraint=False, db_index=False
    )
    external_id = models.CharField(
        max_length=MAX_EXTERNAL_ID,
        help_text="The id by which the API names it, or one derived from its content.",
    )
    name = models.TextField()
    prompt = models.TextField()
    scheduled_for = models.DateTimeField(help_text="The moment that was asked for.")
    due_at = models.DateTimeField(help_text="The moment of the next attempt.")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    fired_for = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The moment for which it was last delivered."
    )
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TeamQuerySet["ScheduledMessage"].as_manager()

    class Meta:
        verbose_name = "schedule"
        constraints = (
            # Also finds a person's schedules. A repeated request meets its own first row here.
            models.UniqueConstraint(
                fields=("participant", "chatbot", "external_id"), name="schedule_once_a_chatbot"
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="schedule_status_known"),
        )
        indexes = (
            models.Index(fields=("due_at",), name="schedule_due", condition=Q(status=Status.PENDING)),
            models.Index(fields=("chatbot",), name="schedule_by_chatbot"),
        )

    def __str__(self) -> str:
        return self.name
