"""The shapes of the widget's operations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.participants.models import MAX_IDENTIFIER, MAX_NAME

from ..fields import JSONObjectField


class IdentifyRequestSerializer(serializers.Serializer[Any]):
    remote_id = serializers.CharField(
        required=False, max_length=MAX_IDENTIFIER, help_text="Your own reference to the visitor. Not a proof."
    )
    name = serializers.CharField(required=False, max_length=MAX_NAME)
    identity_token = serializers.CharField(
        required=False,
        max_length=4000,
        help_text=(
            "A JWT that your site signed with the chatbot's identity secret: HS256, `sub` the identifier, "
            "`aud` the chatbot's public id, `exp` at most 10 minutes ahead."
        ),
    )


class WidgetParticipantSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    identifier = serializers.CharField()
    name = serializers.CharField()
    platform = serializers.CharField()
    remote_id = serializers.CharField()


class IdentifiedSerializer(serializers.Serializer[Any]):
    participant_token = serializers.CharField(source="token.text", help_text="Goes into X-Participant-Token.")
    expires_at = serializers.DateTimeField(source="token.expires_at")
    participant = WidgetParticipantSerializer()


class ComingScheduleSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(source="external_id")
    name = serializers.CharField()
    date = serializers.DateTimeField(source="scheduled_for")


class VisitorSerializer(serializers.Serializer[Any]):
    participant = WidgetParticipantSerializer()
    data = JSONObjectField(help_text="What this chatbot keeps of the visitor.")  # type: ignore[assignment]  # a field, not the property
    schedules = ComingScheduleSerializer(many=True, help_text="What is still to come, soonest first.")


@extend_schema_field({"type": "object", "additionalProperties": {}})
class PatchField(serializers.JSONField):
    """A JSON Merge Patch (RFC 7396), as the parser read it."""

    default_error_messages = JSONObjectField.default_error_messages

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        JSONObjectField.to_internal_value(self, data)  # type: ignore[arg-type]  # only its checks
        found: dict[str, Any] = data
        return found


class VisitorChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, max_length=MAX_NAME)
    data = PatchField(  # type: ignore[assignment]  # a field, not the property
        required=False,
        help_text="Merged into the data (RFC 7396), under the keys that the embed key lists as writable.",
    )
