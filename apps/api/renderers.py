"""Responses: compact JSON in UTF-8, whatever the request accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONRenderer(BaseRenderer):
    """Text that is JSON already, wrapped in orjson.Fragment, is passed through."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else to_json(data)


def to_json(data: Any) -> bytes:
    try:
        # `str` takes what REST framework's messages are made of: ErrorDetail and lazy translations.
        return orjson.dumps(data, default=str)
    except TypeError:
        # A message quotes a lone surrogate of the request: only escaped can it be sent.
        return json.dumps(data, default=str, separators=(",", ":")).encode()


def rendered(data: Any = None, *, headers: dict[str, str] | None = None) -> HttpResponse:
    """What `Response` comes to, without a choice of renderers: for the operations that are called most."""
    content = b"" if data is None else to_json(data)
    response = HttpResponse(content, JSONRenderer.media_type, headers=headers)
    if data is None:
        del response["Content-Type"]
    return response


class AlwaysJSON(DefaultContentNegotiation):
    """An error page in a format that the caller did not expect helps nobody: there is one format."""

    def select_renderer(
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],  # type: ignore[override]  # instances, as they are passed
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type or ""
