"""Prompts that a chatbot is to speak at a moment."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

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
    attempts = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Begun since it last became due."
    )
    occurrence = models.PositiveIntegerField(
        default=1,
        db_default=1,
        editable=False,
        help_text="Counts what it had to say. With the id it names a message, the same on every attempt.",
    )
    claim = models.BigIntegerField(
        null=True, blank=True, editable=False, help_text="The attempt whose answer still counts."
    )
    reason = models.TextField(
        default="", db_default="", blank=True, editable=False, help_text="Why it was not delivered yet."
    )
    # A rule has all three, a one-off none.
    rrule = models.TextField(default="", db_default="", blank=True)
    timezone = models.TextField(default="", db_default="", blank=True)
    starts = models.CharField(
        max_length=19,
        default="",
        db_default="",
        blank=True,
        help_text="Where the rule starts, in the time zone's own time.",
    )
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, editable=False)

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
            # The claim walks it for each endpoint that has room: what is not due yet costs nothing.
            # The lists walk it too, and the next one: see pages.py.
            models.Index(fields=("chatbot", "status", "due_at", "id"), name="schedule_due"),
            models.Index(fields=("chatbot", "status", "id"), name="schedule_newest"),
            # Counts what each hour had. One entry for a delivery, and none for what was never delivered.
            models.Index(
                fields=("chatbot", "fired_for"),
                name="schedule_fired",
                condition=Q(fired_for__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_recurring(self) -> bool:
        return bool(self.rrule)


class Outcome(models.TextChoices):
    SENDING = "sending", "Sending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Not known"


class DeliveryAttempt(models.Model):
    """One POST to an endpoint, written before it is sent and completed after.

    Reached through its schedule alone, which has the team.
    """

    schedule = models.ForeignKey(ScheduledMessage, models.CASCADE, related_name="attempt_set")
    occurrence = models.PositiveIntegerField()
    number = models.PositiveSmallIntegerField()
    scheduled_for = models.DateTimeField()
    started_at = models.DateTimeField(help_text="By the database's clock.")
    outcome = models.CharField(max_length=10, choices=Outcome)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(default="", db_default="", blank=True)
    reason = models.TextField(default="", db_default="", blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="attempt_outcome_known"),
        )
        indexes = (
            # Finds those whose worker ended before it could say how they went.
            models.Index(
                fields=("started_at",), name="attempt_under_way", condition=Q(outcome=Outcome.SENDING)
            ),
        )

    def __str__(self) -> str:
        return f"attempt {self.number} at occurrence {self.occurrence} of schedule {self.schedule_id}"
