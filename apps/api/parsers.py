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
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


def read_body(request: Request, stream: IO[bytes]) -> bytes:
    limit: int = settings.MAX_BODY_BYTES
    # A chunked body does not say its length (`config.wsgi`): only reading it tells.
    declared = 0 if request.META.get("ocp.body_length_unknown") else int(request.META["CONTENT_LENGTH"])
    if declared > limit:
        raise BodyTooLarge
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge
    return body
