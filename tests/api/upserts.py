"""What tests of the upsert send, and what it refuses them with."""

from __future__ import annotations

from tests.fixtures import snapshot

DATE = "2030-05-01T08:00:00Z"
REQUIRED = ["This field is required."]
BLANK = ["This field may not be blank."]
NULL = ["This field may not be null."]
NUL = ["Null characters are not allowed."]


def schedule(**fields):
    return {"name": "Visit", "prompt": "Remind them", "date": DATE} | fields


def refused(workspace, body, status, expected, **headers) -> None:
    """The request is refused with exactly this body, and has written nothing at all."""
    before = snapshot()
    response = workspace.api.post(body, **headers)
    assert (response.status_code, response.json()) == (status, expected)
    assert snapshot() == before
