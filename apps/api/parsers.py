"""Request bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from apps.participants import json_text


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"

    def __init__(self) -> None:
        super().__init__(f"Request body is larger than {settings.MAX_BODY_BYTES:,} bytes.")


class JSONParser(BaseParser):
    """JSON in UTF-8, whatever charset the header names (RFC 8259, 8.1), in which numbers keep their text."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Raises BodyTooLarge without reading further than that takes, and ParseError."""
        request: Request = (parser_context or {})["request"]
        try:
            return json_text.parse(read_body(request, stream).decode())
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error


def read_body(request: Request, stream: IO[bytes]) -> bytes:
    limit: int = settings.MAX_BODY_BYTES
    # A chunked body does not say its length (`config.wsgi`): only reading it tells.
    is_chunked = bool(request.META.get("ocp.body_length_unknown"))
    declared = int(request.META["CONTENT_LENGTH"])
    if declared > limit and not is_chunked:
        raise BodyTooLarge
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge
    if len(body) < declared and not is_chunked:
        # The caller has gone. What came of the body may be JSON by chance, and is not what they meant.
        raise ParseError(f"JSON parse error - the body ends after {len(body):,} of {declared:,} bytes")
    return body
