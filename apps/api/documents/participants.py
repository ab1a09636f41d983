"""What the document says of the participant operations.

Names, descriptions, parameters and security are the contract's, word for word.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from apps.access.scopes import PARTICIPANTS_READ, PARTICIPANTS_WRITE

from ..serializers.errors import ChatbotsNotFoundSerializer, DetailSerializer, InvalidSerializer
from ..serializers.participants import (
    ParticipantDataUpdateRequestSerializer,
    ParticipantDetailSerializer,
    ParticipantQuerySerializer,
)

DESCRIPTION = "GET: list participants for the team. POST: update/create participant data."
CHATBOT_ID = "7f3a2b52-2f2a-4f0b-9c40-9d7d0f6d2a11"


def security(scope: str) -> Any:
    """Untyped, because `extend_schema` takes what the document has, and its types know only names."""
    return [{"OAuth2": [scope]}, {"apiKeyAuth": []}, {"tokenAuth": []}]


def detail(description: str, text: str) -> OpenApiResponse:
    example = OpenApiExample(description, value={"detail": text})
    return OpenApiResponse(DetailSerializer, description, [example])


UNAUTHENTICATED = detail(
    "No credential, or one that is unknown, expired or revoked",
    "Authentication credentials were not provided.",
)
FORBIDDEN = detail(
    "The credential does not have the scope",
    "You do not have permission to perform this action.",
)

DETAIL_EXAMPLE = {
    "id": "0199c0de-7c1e-7d3a-8b1f-5f2f6c1a9b10",
    "identifier": "+27820001111",
    "name": "Thandi",
    "platform": "whatsapp",
    "remote_id": "",
    "data": [
        {
            "chatbot": "Clinic reminders",
            "chatbot_id": CHATBOT_ID,
            "data": {"language": "zu", "visits": 3},
        }
    ],
}

list_participants = extend_schema(
    summary="List Participants",
    description=DESCRIPTION,
    tags=["Participants"],
    auth=security(PARTICIPANTS_READ),
    parameters=[
        OpenApiParameter(name, kind, description=str(ParticipantQuerySerializer().fields[name].help_text))
        for name, kind in (
            ("chatbot", OpenApiTypes.UUID),
            ("identifier", OpenApiTypes.STR),
            ("platform", OpenApiTypes.STR),
        )
    ],
    responses={
        200: OpenApiResponse(ParticipantDetailSerializer(many=True), "A page, newest first"),
        400: OpenApiResponse(
            InvalidSerializer,
            "A filter that can't be understood",
            [OpenApiExample("Not a UUID", value={"chatbot": ["Must be a valid UUID."]})],
        ),
        401: UNAUTHENTICATED,
        403: FORBIDDEN,
        404: detail("A cursor that was not issued here", "Invalid cursor"),
    },
    examples=[
        OpenApiExample("A page of one", value=DETAIL_EXAMPLE, response_only=True, status_codes=["200"])
    ],
)

update_participant_data = extend_schema(
    summary="Update Participant Data",
    description=DESCRIPTION,
    tags=["Participants"],
    auth=security(PARTICIPANTS_WRITE),
    request=ParticipantDataUpdateRequestSerializer,
    responses={
        200: OpenApiResponse(description="Everything was written"),
        400: OpenApiResponse(
            InvalidSerializer,
            "Not understood; nothing was written",
            [
                OpenApiExample("A field is missing", value={"identifier": ["This field is required."]}),
                OpenApiExample(
                    "Malformed",
                    value={"detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"},
                ),
            ],
        ),
        401: UNAUTHENTICATED,
        403: FORBIDDEN,
        404: OpenApiResponse(
            ChatbotsNotFoundSerializer,
            "A chatbot that the team does not have; nothing was written",
            [
                OpenApiExample(
                    "Unknown chatbot",
                    value={"errors": [{"message": f"Experiment {CHATBOT_ID} not found"}]},
                )
            ],
        ),
        413: detail("The body is too large", "Request body is larger than 5,242,880 bytes."),
        415: detail("The body is not JSON", 'Unsupported media type "text/plain" in request.'),
    },
    examples=[
        OpenApiExample(
            "Data and a schedule",
            request_only=True,
            value={
                "identifier": "+27820001111",
                "name": "Thandi",
                "platform": "whatsapp",
                "data": [
                    {
                        "experiment": CHATBOT_ID,
                        "data": {"language": "zu", "visits": 3},
                        "schedules": [
                            {
                                "id": "visit-4",
                                "name": "Visit reminder",
                                "prompt": "Remind Thandi of her visit tomorrow at 10:00.",
                                "date": "2030-05-01T08:00:00Z",
                            }
                        ],
                    }
                ],
            },
        ),
        OpenApiExample(
            "Cancel a schedule",
            request_only=True,
            value={
                "identifier": "+27820001111",
                "platform": "whatsapp",
                "data": [{"experiment": CHATBOT_ID, "schedules": [{"id": "visit-4", "delete": True}]}],
            },
        ),
    ],
)
