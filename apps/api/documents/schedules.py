"""What the document says of the schedule operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)

from apps.access.scopes import PARTICIPANTS_READ, PARTICIPANTS_WRITE

from ..serializers.errors import ChatbotsNotFoundSerializer, DetailSerializer, InvalidSerializer
from ..serializers.schedules import (
    PreviewSerializer,
    RulePreviewSerializer,
    ScheduleChangeSerializer,
    ScheduleDetailSerializer,
    ScheduleQuerySerializer,
    ScheduleRequestSerializer,
    ScheduleSerializer,
)
from .participants import CHATBOT_ID, FORBIDDEN, UNAUTHENTICATED, detail, security

F = TypeVar("F", bound=Callable[..., Any])

SCHEDULE_ID = OpenApiParameter("schedule_id", OpenApiTypes.UUID, "path", description="The schedule's id.")
PARTICIPANT_ID = OpenApiParameter(
    "participant_id", OpenApiTypes.UUID, "path", description="The participant's id."
)
NOT_FOUND = detail("The team has no such schedule", "Not found.")
NOT_NOW = OpenApiResponse(
    DetailSerializer,
    "What the schedule is at does not allow it",
    [OpenApiExample("Too late", value={"detail": "It was delivered: that can't be taken back."})],
)
UNUSABLE = {
    413: detail("The body is too large", "Request body is larger than 5,242,880 bytes."),
    415: detail("The body is not JSON", 'Unsupported media type "text/plain" in request.'),
}
INVALID = OpenApiResponse(
    InvalidSerializer,
    "Not understood; nothing was written",
    [
        OpenApiExample("A field is missing", value={"date": ["This field is required."]}),
        OpenApiExample(
            "Too often",
            value={"rrule": ["A schedule may fire every 5 minutes at most: this rule does so more often."]},
        ),
        OpenApiExample(
            "No such time zone",
            value={"timezone": ["Give the name of a time zone, such as Africa/Johannesburg."]},
        ),
    ],
)
REFUSALS = {401: UNAUTHENTICATED, 403: FORBIDDEN}

EXAMPLE: dict[str, Any] = {
    "id": "0199c0de-7c1e-7d3a-8b1f-5f2f6c1a9b12",
    "external_id": "visit-4",
    "participant": {
        "id": "0199c0de-7c1e-7d3a-8b1f-5f2f6c1a9b10",
        "identifier": "+27820001111",
        "name": "Thandi",
        "platform": "whatsapp",
    },
    "chatbot": {"id": CHATBOT_ID, "name": "Clinic reminders"},
    "name": "Visit reminder",
    "prompt": "Remind Thandi of her visit tomorrow at 10:00.",
    "status": "pending",
    "reason": "It answered 500 instead of 2xx.",
    "scheduled_for": "2030-05-01T08:00:00Z",
    "due_at": "2030-05-01T08:00:05.210000Z",
    "delivered_for": None,
    "occurrence": 1,
    "rrule": "",
    "timezone": "",
    "date": "2030-05-01T08:00:00Z",
    "attempt_count": 1,
    "created_at": "2030-04-20T11:20:00Z",
    "updated_at": "2030-05-01T08:00:00.210000Z",
}
DETAIL_EXAMPLE = EXAMPLE | {
    "attempts": [
        {
            "occurrence": 1,
            "number": 1,
            "started_at": "2030-05-01T08:00:00.120000Z",
            "outcome": "failed",
            "status": 500,
            "duration_ms": 84,
            "answer": "Internal Server Error",
            "reason": "It answered 500 instead of 2xx.",
        }
    ]
}
SHOWN = OpenApiResponse(
    ScheduleDetailSerializer,
    "The schedule, and its attempts",
    [OpenApiExample("After a failed attempt", value=DETAIL_EXAMPLE)],
)
OCCURRENCES = OpenApiResponse(
    PreviewSerializer,
    "The next ten times, or fewer where the rule ends",
    [
        OpenApiExample(
            "Across a change of clocks",
            value={
                "occurrences": [
                    {"local": "2030-03-30T09:00:00+01:00", "utc": "2030-03-30T08:00:00Z"},
                    {"local": "2030-03-31T09:00:00+02:00", "utc": "2030-03-31T07:00:00Z"},
                ]
            },
        )
    ],
)
RULE_EXAMPLE = {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin", "date": "2030-03-30T09:00:00"}


def _operation(name: str, summary: str, description: str, scope: str, **more: Any) -> Callable[[F], F]:
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        tags=["Schedules"],
        auth=security(scope),
        **more,
    )


list_schedules = _operation(
    "list_schedules",
    "List Schedules",
    "The team's schedules, newest first, or with `order=due_at` soonest first.",
    PARTICIPANTS_READ,
    parameters=[ScheduleQuerySerializer],
    responses={
        200: OpenApiResponse(
            ScheduleSerializer(many=True), "A page", [OpenApiExample("A page of one", value=EXAMPLE)]
        ),
        400: OpenApiResponse(
            InvalidSerializer,
            "A filter that can't be understood",
            [OpenApiExample("Not a UUID", value={"chatbot": ["Must be a valid UUID."]})],
        ),
        **REFUSALS,
        404: detail("A cursor that was not issued here", "Invalid cursor"),
    },
)

show_schedule = _operation(
    "show_schedule",
    "Show Schedule",
    "A schedule, with what became of each attempt to deliver it.",
    PARTICIPANTS_READ,
    parameters=[SCHEDULE_ID],
    responses={200: SHOWN, **REFUSALS, 404: NOT_FOUND},
)

create_schedule = _operation(
    "create_schedule",
    "Create Schedule",
    "Has a chatbot prompted at a moment, or at each time of a rule in the local time of a zone. With the id "
    "of a schedule that is there it changes that one, as the participants' upsert does.",
    PARTICIPANTS_WRITE,
    parameters=[PARTICIPANT_ID],
    request=ScheduleRequestSerializer,
    responses={
        200: OpenApiResponse(ScheduleDetailSerializer, "It was there, and is now as the request says"),
        201: SHOWN,
        400: INVALID,
        **REFUSALS,
        404: OpenApiResponse(
            PolymorphicProxySerializer(
                component_name="ScheduleTargetNotFound",
                serializers=[ChatbotsNotFoundSerializer, DetailSerializer],
                resource_type_field_name=None,
            ),
            "A chatbot that the team does not have; or, as `detail`, no such participant",
            [
                OpenApiExample(
                    "Unknown chatbot",
                    value={"errors": [{"message": f"Experiment {CHATBOT_ID} not found"}]},
                )
            ],
        ),
        **UNUSABLE,
    },
    examples=[
        OpenApiExample(
            "Once",
            request_only=True,
            value={
                "chatbot": CHATBOT_ID,
                "id": "visit-4",
                "name": "Visit reminder",
                "prompt": "Remind Thandi of her visit tomorrow at 10:00.",
                "date": "2030-05-01T08:00:00Z",
            },
        ),
        OpenApiExample(
            "Every weekday at 09:00",
            request_only=True,
            value={
                "chatbot": CHATBOT_ID,
                "name": "Morning check-in",
                "prompt": "Ask Thandi how she slept.",
                "date": "2030-05-01T09:00:00",
                "rrule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
                "timezone": "Africa/Johannesburg",
            },
        ),
    ],
)

change_schedule = _operation(
    "change_schedule",
    "Change Schedule",
    "Changes what is given. One that is over starts again when it gets another date. An attempt that is "
    "under way no longer counts.",
    PARTICIPANTS_WRITE,
    parameters=[SCHEDULE_ID],
    request=ScheduleChangeSerializer,
    responses={200: SHOWN, 400: INVALID, **REFUSALS, 404: NOT_FOUND, 409: NOT_NOW, **UNUSABLE},
    examples=[OpenApiExample("Later", value={"date": "2030-05-02T08:00:00Z"}, request_only=True)],
)

cancel_schedule = _operation(
    "cancel_schedule",
    "Cancel Schedule",
    "No attempt begins after the answer. Cancelling twice is fine; what was delivered can't be taken back.",
    PARTICIPANTS_WRITE,
    parameters=[SCHEDULE_ID],
    request=None,
    responses={200: SHOWN, **REFUSALS, 404: NOT_FOUND, 409: NOT_NOW},
)

retry_schedule = _operation(
    "retry_schedule",
    "Retry Schedule",
    "Makes a schedule that failed due at once, with a new series of attempts.",
    PARTICIPANTS_WRITE,
    parameters=[SCHEDULE_ID],
    request=None,
    responses={200: SHOWN, **REFUSALS, 404: NOT_FOUND, 409: NOT_NOW},
)

preview_rule = _operation(
    "preview_rule",
    "Preview Rule",
    "The next ten times of a rule, local and in UTC. Nothing is stored.",
    PARTICIPANTS_READ,
    request=RulePreviewSerializer,
    responses={200: OCCURRENCES, 400: INVALID, **REFUSALS, **UNUSABLE},
    examples=[OpenApiExample("Every day at 09:00", value=RULE_EXAMPLE, request_only=True)],
)

preview_schedule = _operation(
    "preview_schedule",
    "Preview Schedule",
    "The next ten times of a schedule's rule, as it is or with the changes given. Nothing is stored.",
    PARTICIPANTS_READ,
    parameters=[SCHEDULE_ID],
    request=ScheduleChangeSerializer,
    responses={200: OCCURRENCES, 400: INVALID, **REFUSALS, 404: NOT_FOUND, **UNUSABLE},
    examples=[OpenApiExample("As it is", value={}, request_only=True)],
)
