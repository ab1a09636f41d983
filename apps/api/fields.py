"""Serializer fields that the API's JSON needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.participants import json_text

MAX_NESTING = 200


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JSONObjectField(serializers.Field[Any, Any, Any, Any]):
    """A JSON object, kept as compact text in which every value is written as it was sent."""

    default_error_messages = {
        "not_a_dict": 'Expected a dictionary of items but got type "{input_type}".',
        "too_deep": "Nested more than {limit} levels deep.",
        "not_text": "Contains a lone surrogate, which is not valid in UTF-8.",
    }

    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        if json_text.is_nested_deeper(data, MAX_NESTING):
            self.fail("too_deep", limit=MAX_NESTING)
        try:
            return json_text.dump(data)
        except TypeError:
            self.fail("not_text")

    def to_representation(self, value: bytes) -> orjson.Fragment:
        return orjson.Fragment(value)


class PublicIdField(serializers.UUIDField):
    """A UUID in any form; a number stays a number however long it is."""

    def to_internal_value(self, data: Any) -> UUID:
        if isinstance(data, bool):  # REST framework takes it for the number 0 or 1
            self.fail("invalid", value=data)
        if isinstance(data, json_text.Number):
            try:
                data = int(data)
            except ValueError:
                self.fail("invalid", value=data)
        return super().to_internal_value(data)
