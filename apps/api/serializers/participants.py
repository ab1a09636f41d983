"""The shapes of the participant operations (the contract's schemas)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from orjson import Fragment
from rest_framework import serializers
from rest_framework.settings import api_settings

from apps.participants.models import MAX_IDENTIFIER, MAX_NAME, Participant
from apps.participants.pages import Person
from apps.participants.platforms import Platform, normalise_identifier
from apps.participants.queries import Entry
from apps.participants.services import SavedParticipant
from apps.schedules.models import MAX_EXTERNAL_ID

from ..fields import JSONObjectField, PublicIdField

SCHEDULE_INCOMPLETE = "Schedule Name, Prompt, and Date are required to create or update a schedule"
SCHEDULE_UNNAMED = "Schedule ID is required to delete a schedule"


class Items(serializers.ListSerializer[Any]):
    """A list whose errors are a list too, with {} for the items that are right (the contract).

    From 3.18 on REST framework gives an object with the indexes of the wrong ones.
    """

    # A body has room for millions of items. Where many are wrong, the first of these are enough to say so.
    CHECKED_TOGETHER = 1000

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            return list(super().to_internal_value(data))  # which raises
        found = []
        for start in range(0, len(data), self.CHECKED_TOGETHER):
            items = data[start : start + self.CHECKED_TOGETHER]
            try:
                found += super().to_internal_value(items)
            except serializers.ValidationError as error:
                wrong: Any = error.detail
                errors = [{}] * start + [wrong.get(index, {}) for index in range(len(items))]
                raise serializers.ValidationError(errors) from error
        return found


class ParticipantScheduleSerializer(serializers.Serializer[Any]):
    class Meta:
        list_serializer_class = Items

    id = serializers.CharField(
        required=False,
        max_length=MAX_EXTERNAL_ID,
        help_text="Your own id for the schedule. Without it one is derived from name, prompt and date.",
    )
    name = serializers.CharField(required=False)
    prompt = serializers.CharField(
        required=False, help_text="What the chatbot is prompted with when the moment comes."
    )
    date = serializers.DateTimeField(
        required=False, help_text="The moment, in UTC where it has no offset. A past one is due at once."
    )
    delete = serializers.BooleanField(required=False, help_text="Cancel the schedule with this id.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("delete"):
            if "id" not in attrs:
                raise serializers.ValidationError(SCHEDULE_UNNAMED)
        elif not {"name", "prompt", "date"} <= attrs.keys():
            raise serializers.ValidationError(SCHEDULE_INCOMPLETE)
        return attrs


class ParticipantExperimentDataSerializer(serializers.Serializer[Any]):
    class Meta:
        list_serializer_class = Items

    experiment = PublicIdField(help_text="The public id of a chatbot of the team.")
    data = JSONObjectField(  # type: ignore[assignment]  # a field, not the property
        required=False,
        help_text="Replaces what is stored for this chatbot. Omitted or {}: it stays as it is.",
    )
    schedules = ParticipantScheduleSerializer(many=True, required=False)


class ParticipantDataUpdateRequestSerializer(serializers.Serializer[Any]):
    identifier = serializers.CharField(
        max_length=MAX_IDENTIFIER, help_text="Who the participant is on the platform."
    )
    name = serializers.CharField(required=False, max_length=MAX_NAME, help_text="Kept as it is if not given.")
    platform = serializers.ChoiceField(choices=Platform.choices, required=False, default=Platform.API)
    data = ParticipantExperimentDataSerializer(many=True)  # type: ignore[assignment]  # a field, not the property

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # Lowering can lengthen: "İ" becomes two characters.
        if len(normalise_identifier(attrs["identifier"], attrs["platform"])) > MAX_IDENTIFIER:
            message = f"Ensure this field has no more than {MAX_IDENTIFIER} characters."
            raise serializers.ValidationError({"identifier": [message]})
        return attrs


class ParticipantQuerySerializer(serializers.Serializer[Any]):
    """The filters of the list. An empty value is a value: it finds nobody rather than everybody."""

    identifier = serializers.CharField(
        required=False, allow_blank=True, help_text="Filter by participant identifier"
    )
    platform = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Filter by platform (e.g. api, telegram, whatsapp)",
    )
    chatbot = PublicIdField(
        required=False,
        help_text="Filter by chatbot public id; returns participants that have data for the chatbot.",
    )
    experiment = PublicIdField(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        # A plain dict, because from a QueryDict REST framework drops empty values.
        values: dict[str, Any] = {str(name): data[name] for name in self.fields if name in data}
        if "chatbot" in values:  # `experiment` is its old name
            values.pop("experiment", None)
        found: dict[str, Any] = super().to_internal_value(values)
        if "experiment" in found:
            found["chatbot"] = found.pop("experiment")
        return found


# Made once: checking leaves nothing in them, and to make one takes longer than to check with it.
_LIST_QUERY = ParticipantQuerySerializer()
_UPSERT_BODY = ParticipantDataUpdateRequestSerializer()


def checked_query(params: Any) -> dict[str, Any]:
    """Raises ValidationError."""
    found: dict[str, Any] = _LIST_QUERY.run_validation(params)
    return found


def checked_upsert(body: Any) -> dict[str, Any]:
    """Raises ValidationError."""
    if body is None:
        # As `is_valid` says it.
        raise serializers.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: ["No data provided"]})
    found: dict[str, Any] = _UPSERT_BODY.run_validation(body)
    return found


@extend_schema_field({})
class AnyJSONField(JSONObjectField):
    """Data as the contract's document has it: of no stated type."""


class ParticipantDataEntrySerializer(serializers.Serializer[Any]):
    chatbot = serializers.CharField(help_text="The chatbot's name.")
    chatbot_id = serializers.UUIDField(help_text="The chatbot's public id.")
    data = AnyJSONField(source="text", required=False)  # type: ignore[assignment]  # a field, not the property


class ParticipantDetailSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    identifier = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    platform = serializers.CharField()
    remote_id = serializers.CharField(required=False)
    data = ParticipantDataEntrySerializer(many=True)  # type: ignore[assignment]  # a field, not the property


def participant_detail(
    participant: Participant | SavedParticipant | Person, entries: list[Entry]
) -> dict[str, Any]:
    """What ParticipantDetailSerializer describes. Written out, because this is most of what a list costs."""
    return {
        "id": participant.public_id,
        "identifier": participant.identifier,
        "name": participant.name,
        "platform": participant.platform,
        "remote_id": participant.remote_id,
        "data": [
            {"chatbot": entry.chatbot, "chatbot_id": entry.chatbot_id, "data": Fragment(entry.text)}
            for entry in entries
        ],
    }
