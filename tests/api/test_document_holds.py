"""The service keeps to its own document, whatever the document allows to be sent, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.participants.models import Participant
from tests.fixtures import Workspace
from tests.server import Server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# For each operation, and each of what is allowed and what is not. The same in every run.
BOUNDED = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def aim(workspace: Workspace) -> Callable[[Any], None]:
    """Lets every other request name what is there: of random ids none ever would be."""
    for number in range(3):
        item = {"id": f"s{number}", "name": "n", "prompt": "p", "date": "2030-05-01T08:00:00Z"}
        workspace.upsert(f"person {number}", workspace.entry(data={"n": number}, schedules=[item]))
    known = {
        "participant_id": str(Participant.objects.get(identifier="person 0").public_id),
        "schedule_id": str(workspace.schedules()[0].public_id),
        "chatbot_id": str(workspace.bot.public_id),
    }
    numbers = count()

    def aim_case(case: Any) -> None:
        if next(numbers) % 2:
            return
        for name in known.keys() & (case.path_parameters or {}).keys():
            case.path_parameters[name] = known[name]
        entries = case.body.get("data") if isinstance(case.body, dict) else None
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and "experiment" in entry:
                entry["experiment"] = known["chatbot_id"]

    return aim_case


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_document_has(server: Server, workspace: Workspace, aim, mode):
    document = schemathesis.openapi.from_url(f"{server.url}/api/schema/?format=json")
    statuses = set()
    for found in document.get_all_operations():
        operation = found.ok()

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Any) -> None:
            aim(case)
            response = case.call(headers={"X-api-key": workspace.api.key})
            statuses.add(response.status_code)
            case.validate_response(response, checks=CHECKS)

        check()
    assert {400, 401} <= statuses
    assert "Traceback" not in server.log()
