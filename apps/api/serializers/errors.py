"""The shapes of refusals."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class DetailSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()


class InvalidSerializer(serializers.Serializer[Any]):
    """Messages for each field that was refused, nested as the request is; or one under `detail`."""

    detail = serializers.CharField(required=False)


class ErrorMessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()


class ChatbotsNotFoundSerializer(serializers.Serializer[Any]):
    """One message for each chatbot, in the request's order."""

    errors = ErrorMessageSerializer(many=True)  # type: ignore[assignment]  # a field, not the property
