"""Request bodies."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"

    def __init__(self) -> None:
        super().__init__(f"Request body is larger than {settings.MAX_BODY_BYTES:,} bytes.")


class Number(str):
    """A JSON number that no Python number would write back as it was sent: 1.10, 1E5, -0, 30 digits."""

    __slots__ = ()


def _integer(text: str) -> int | Number:
    # 18 digits always fit 64 bits, which is what orjson writes. Longer ones are never converted,
    # so a million digits cost no more than their text.
    return int(text) if len(text) <= 18 and text != "-0" else Number(text)


def _float(text: str) -> float | Number:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"Number out of range: {text[:20]}")
    return value if orjson.dumps(value) == text.encode() else Number(text)


def _constant(text: str) -> Any:
    raise ValueError(f"Out of range float values are not JSON compliant: {text}")


_decoder = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)


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
            return _decoder.decode(read_body(request, stream).decode())
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
