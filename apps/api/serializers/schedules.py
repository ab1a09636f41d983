"""The shapes of the schedule operations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.schedules.models import MAX_EXTERNAL_ID, DeliveryAttempt, Outcome, ScheduledMessage, Status
from apps.schedules.queries import reason
from apps.schedules.recurrence import zone_named
from apps.schedules.rules import MAX_LENGTH

from ..fields import PublicIdField

DATE_HELP = (
    "The moment; for a rule the local time at which it starts. Without an offset it is meant in `timezone`. "
    "A past one is due at once; a rule goes on with its next time."
)
RRULE_HELP = "RFC 5545, such as FREQ=WEEKLY;BYDAY=MO,TH. Not more often than every 5 minutes."
TIMEZONE_HELP = "An IANA name, such as Africa/Johannesburg. By default UTC."


class MomentField(serializers.DateTimeField):
    """A time that may be local: it is left without an offset where it came without one."""

    def enforce_timezone(self, value: datetime) -> datetime:
        return value


class ScheduleQuerySerializer(serializers.Serializer[Any]):
    """The filters of the list. An empty value is a value: it finds nothing rather than everything."""

    participant = PublicIdField(required=False, help_text="Public id of a participant.")
    identifier = serializers.CharField(
        required=False, allow_blank=True, help_text="Identifier of a participant, exactly."
    )
    chatbot = PublicIdField(required=False, help_text="Public id of a chatbot.")
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    due_after = serializers.DateTimeField(required=False, help_text="Due at this moment or later.")
    due_before = serializers.DateTimeField(required=False, help_text="Due before this moment.")
    order = serializers.ChoiceField(
        choices=["due_at"], required=False, help_text="Soonest first. By default newest first."
    )


class ScheduleRequestSerializer(serializers.Serializer[Any]):
    chatbot = PublicIdField(help_text="Public id of the chatbot that is to be prompted.")
    id = serializers.CharField(
        required=False,
        max_length=MAX_EXTERNAL_ID,
        help_text="Your own id for the schedule. Without it one is derived from its content, so that a "
        "repeated request finds the same schedule.",
    )
    name = serializers.CharField()
    prompt = serializers.CharField(help_text="What the chatbot is prompted with when the moment comes.")
    date = MomentField(help_text=DATE_HELP)
    rrule = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=MAX_LENGTH, help_text=RRULE_HELP
    )
    timezone = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=64, help_text=TIMEZONE_HELP
    )


class ScheduleChangeSerializer(serializers.Serializer[Any]):
    """What is left out stays as it is."""

    name = serializers.CharField(required=False)
    prompt = serializers.CharField(required=False)
    date = MomentField(required=False, help_text=DATE_HELP)
    rrule = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=MAX_LENGTH,
        help_text=f"{RRULE_HELP} Empty or null: it fires once.",
    )
    timezone = serializers.CharField(required=False, max_length=64, help_text=TIMEZONE_HELP)

    def validate_rrule(self, value: str | None) -> str:
        return value or ""


class RulePreviewSerializer(serializers.Serializer[Any]):
    rrule = serializers.CharField(max_length=MAX_LENGTH, help_text=RRULE_HELP)
    timezone = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=64, help_text=TIMEZONE_HELP
    )
    date = MomentField(help_text=DATE_HELP)


class OccurrenceSerializer(serializers.Serializer[Any]):
    local = serializers.DateTimeField()
    utc = serializers.DateTimeField()


class PreviewSerializer(serializers.Serializer[Any]):
    occurrences = OccurrenceSerializer(many=True)


def preview_of(moments: list[datetime], timezone: str) -> dict[str, Any]:
    """What PreviewSerializer describes."""
    zone = zone_named(timezone)
    return {
        "occurrences": [
            {"local": moment.astimezone(zone).isoformat(), "utc": _utc(moment)} for moment in moments
        ]
    }


class ScheduleParticipantSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    identifier = serializers.CharField()
    name = serializers.CharField()
    platform = serializers.CharField()


class ScheduleChatbotSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()


class ScheduleSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    external_id = serializers.CharField(help_text="Your id for it, or one derived from its content.")
    participant = ScheduleParticipantSerializer()
    chatbot = ScheduleChatbotSerializer()
    name = serializers.CharField()
    prompt = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    reason = serializers.SerializerMethodField(help_text="Why it was not delivered yet, in words; or empty.")
    scheduled_for = serializers.DateTimeField(help_text="The moment that was asked for, or the rule's next.")
    due_at = serializers.DateTimeField(help_text="The moment of the next attempt.")
    delivered_for = serializers.DateTimeField(
        source="fired_for", allow_null=True, help_text="The moment for which it was last delivered."
    )
    occurrence = serializers.IntegerField(help_text="Counts what it had to say: 1 for the first.")
    rrule = serializers.CharField(help_text="Empty for one that fires once.")
    timezone = serializers.CharField()
    date = serializers.SerializerMethodField(
        help_text="The local time at which the rule starts; for one that fires once its moment."
    )
    attempt_count = serializers.IntegerField(source="attempts", help_text="Since it last became due.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(OpenApiTypes.STR)
    def get_reason(self, row: ScheduledMessage) -> str:
        return reason(row)

    @extend_schema_field(OpenApiTypes.STR)
    def get_date(self, row: ScheduledMessage) -> str:
        return row.starts or _utc(row.scheduled_for)


class AttemptSerializer(serializers.Serializer[Any]):
    occurrence = serializers.IntegerField()
    number = serializers.IntegerField(help_text="1 for the first at this occurrence.")
    started_at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(
        choices=Outcome.choices, help_text="`unknown` where the worker ended before it could say."
    )
    status = serializers.IntegerField(source="status_code", allow_null=True, help_text="Of HTTP.")
    duration_ms = serializers.IntegerField(allow_null=True)
    answer = serializers.CharField(help_text="The first 1,000 characters of what the other side said.")
    reason = serializers.CharField(help_text="Why it did not count as delivered, in words; or empty.")


class ScheduleDetailSerializer(ScheduleSerializer):
    attempts = AttemptSerializer(many=True, help_text="The latest 100, newest first.")


def schedule_detail(row: ScheduledMessage, attempts: list[DeliveryAttempt]) -> dict[str, Any]:
    """What ScheduleDetailSerializer describes."""
    return {**ScheduleSerializer(row).data, "attempts": AttemptSerializer(attempts, many=True).data}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
