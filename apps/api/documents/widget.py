"""What the document says of the widget's operations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from ..serializers.errors import InvalidSerializer
from ..serializers.widget import (
    IdentifiedSerializer,
    IdentifyRequestSerializer,
    VisitorChangeSerializer,
    VisitorSerializer,
)
from .participants import detail

# Untyped: see `documents.participants.security`.
SECURITY: Any = [{"embedKeyAuth": []}, {"cookieAuth": []}]
CHATBOT = OpenApiParameter("chatbot_id", OpenApiTypes.UUID, "path", description="The chatbot's public id.")
TOKEN = OpenApiParameter(
    "X-Participant-Token",
    OpenApiTypes.STR,
    "header",
    required=True,
    description="What `identify` gave.",
)
KNOWN_TOKEN = OpenApiParameter(
    "X-Participant-Token",
    OpenApiTypes.STR,
    "header",
    description="Of an earlier visit, to be the same anonymous visitor again.",
)
REFUSALS = {
    401: detail(
        "No key, or a key, page, token or chatbot that do not belong together",
        "Invalid or expired credentials.",
    ),
    403: detail("Not allowed", "You do not have permission to perform this action."),
    404: detail("A signed-in member's team does not have this chatbot", "Not found."),
    413: detail("The body is too large", "Request body is larger than 5,242,880 bytes."),
    415: detail("The body is not JSON", 'Unsupported media type "text/plain" in request.'),
}
INVALID = OpenApiResponse(InvalidSerializer, "Not understood; nothing was written")
PARTICIPANT_EXAMPLE = {
    "id": "0199c0de-7c1e-7d3a-8b1f-5f2f6c1a9b10",
    "identifier": "anon:1f0e6b8a-6f6b-4c9c-9d0b-0a1b2c3d4e5f",
    "name": "",
    "platform": "embedded_widget",
    "remote_id": "",
}

identify_visitor = extend_schema(
    operation_id="identify_visitor",
    summary="Identify Visitor",
    description=(
        "Tells who a visitor is, and gives the token with which they reach their own data. Without an "
        "identity token they are somebody new, or who they were before if their token is sent along."
    ),
    tags=["Widget"],
    auth=SECURITY,
    parameters=[CHATBOT, KNOWN_TOKEN],
    request=IdentifyRequestSerializer,
    responses={200: IdentifiedSerializer, 400: INVALID, **REFUSALS},
    examples=[
        OpenApiExample("Somebody new", value={}, request_only=True),
        OpenApiExample(
            "A token",
            value={
                "participant_token": "WyIwMTk5YzBkZSIs…",
                "expires_at": "2030-05-02T08:00:00Z",
                "participant": PARTICIPANT_EXAMPLE,
            },
            response_only=True,
            status_codes=["200"],
        ),
    ],
)

show_visitor = extend_schema(
    operation_id="show_visitor",
    summary="Show Visitor",
    description="The visitor, what this chatbot keeps of them, and what it is still to say to them.",
    tags=["Widget"],
    auth=SECURITY,
    parameters=[CHATBOT, TOKEN],
    responses={
        200: VisitorSerializer,
        **{status: REFUSALS[status] for status in (401, 403, 404)},
    },
)

change_visitor = extend_schema(
    operation_id="change_visitor",
    summary="Change Visitor",
    description="Changes the visitor's name, and merges into their data where the embed key allows it.",
    tags=["Widget"],
    auth=SECURITY,
    parameters=[CHATBOT, TOKEN],
    request=VisitorChangeSerializer,
    responses={200: VisitorSerializer, 400: INVALID, **REFUSALS},
    examples=[
        OpenApiExample(
            "A preference, and one forgotten",
            value={"data": {"language": "en", "nickname": None}},
            request_only=True,
        )
    ],
)
