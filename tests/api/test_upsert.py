"""POST /api/participants (the contract's POST)."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from apps.chatbots import queries as chatbots
from apps.participants.models import Participant, ParticipantData
from apps.participants.platforms import Platform
from tests.api.upserts import BLANK, NUL, NULL, REQUIRED, refused
from tests.fixtures import snapshot

# Who


def test_it_creates_a_participant(workspace):
    response = workspace.api.post({"identifier": "ada", "data": []})
    assert (response.status_code, response.content) == (200, b"")
    row = Participant.objects.get()
    assert (row.team, row.identifier, row.name, row.platform, row.remote_id) == (
        workspace.team,
        "ada",
        "",
        "api",
        "",
    )


@pytest.mark.parametrize("path", ["/api/participants", "/api/participants/", "/api/v1/participants"])
def test_it_answers_on_every_path(workspace, path):
    assert workspace.api.post({"identifier": "ada", "data": []}, path).status_code == 200
    assert Participant.objects.count() == 1


def test_it_renames_if_a_name_is_given_and_keeps_it_if_not(workspace):
    workspace.upsert("ada", name="Ada")
    first = Participant.objects.get()
    workspace.upsert("ada")
    assert Participant.objects.get().name == "Ada"
    workspace.upsert("ada", name="Ada L.")
    row = Participant.objects.get()
    assert (row.pk, row.public_id, row.name) == (first.pk, first.public_id, "Ada L.")


@pytest.mark.parametrize("platform", Platform.values)
def test_it_takes_every_platform(workspace, platform):
    workspace.upsert("ada", platform=platform)
    assert Participant.objects.get().platform == platform


def test_it_tells_people_apart_by_team_platform_and_case(workspace, other):
    for identifier, platform in [("ada", "api"), ("ada", "web"), ("Ada", "api"), ("ada", "api")]:
        workspace.upsert(identifier, platform=platform)
    other.upsert("ada")
    assert Participant.objects.count() == 4


def test_it_lowers_case_on_commcare_connect(workspace):
    for identifier in ("ABC", "abc", "Abc"):
        workspace.upsert(identifier, platform="commcare_connect")
    assert Participant.objects.get().identifier == "abc"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [(" ada\t\n", "ada"), (12345, "12345"), (1.5, "1.5"), ("x" * 320, "x" * 320), ("é😀", "é😀")],
)
def test_it_takes_an_identifier(workspace, sent, stored):
    workspace.upsert(sent)
    assert Participant.objects.get().identifier == stored


TOO_LONG = ["Ensure this field has no more than 320 characters."]
NO_STRING = ["Not a valid string."]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"identifier": None}, {"identifier": NULL}),
        ({"identifier": ""}, {"identifier": BLANK}),
        ({"identifier": "  "}, {"identifier": BLANK}),
        ({"identifier": "x" * 321}, {"identifier": TOO_LONG}),
        ({"identifier": "a\x00b"}, {"identifier": NUL}),
        ({"identifier": True}, {"identifier": NO_STRING}),
        ({"identifier": ["a"]}, {"identifier": NO_STRING}),
        ({"identifier": {}}, {"identifier": NO_STRING}),
        ({"identifier": "İ" * 320, "platform": "commcare_connect"}, {"identifier": TOO_LONG}),
        ({"name": None}, {"name": NULL}),
        ({"name": ""}, {"name": BLANK}),
        ({"name": "x" * 321}, {"name": TOO_LONG}),
        ({"name": "a\x00b"}, {"name": NUL}),
        ({"platform": None}, {"platform": NULL}),
        ({"platform": "fax"}, {"platform": ['"fax" is not a valid choice.']}),
        ({"platform": ""}, {"platform": ['"" is not a valid choice.']}),
        ({"platform": ["api"]}, {"platform": ["\"['api']\" is not a valid choice."]}),
        ({"data": None}, {"data": NULL}),
        ({"data": {}}, {"data": {"non_field_errors": ['Expected a list of items but got type "dict".']}}),
        ({"data": "x"}, {"data": {"non_field_errors": ['Expected a list of items but got type "str".']}}),
    ],
    ids=repr,
)
def test_it_refuses_a_bad_field(workspace, change, expected):
    refused(workspace, {"identifier": "ada", "data": []} | change, 400, expected)


def test_it_asks_for_what_is_missing(workspace):
    refused(workspace, {}, 400, {"identifier": REQUIRED, "data": REQUIRED})
    refused(workspace, {"identifier": "ada"}, 400, {"data": REQUIRED})
    refused(
        workspace,
        [],
        400,
        {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]},
    )


def test_it_ignores_unknown_fields(workspace):
    body = {
        "identifier": "ada",
        "extra": [1],
        "remote_id": "r",
        "data": [workspace.entry(more=1, data={"a": 1})],
    }
    assert workspace.api.post(body).status_code == 200
    assert workspace.stored() == {"ada": {"Bot A": '{"a":1}'}}
    assert Participant.objects.get().remote_id == ""


# What comes back


def test_it_shows_the_participant_when_asked_to(workspace):
    a, b = workspace.bots
    workspace.upsert("ada", {"experiment": str(b.public_id), "data": {"n": 1}}, name="Ada")
    body = {"identifier": "ada", "data": [workspace.entry(data={"x": 1.0})]}
    response = workspace.api.post(body, Prefer="respond-async, Return = representation; x=1")
    assert response.status_code == 200
    assert response["Preference-Applied"] == "return=representation"
    assert response.json() == {
        "id": str(Participant.objects.get().public_id),
        "identifier": "ada",
        "name": "Ada",
        "platform": "api",
        "remote_id": "",
        "data": [
            {"chatbot": "Bot B", "chatbot_id": str(b.public_id), "data": {"n": 1}},
            {"chatbot": "Bot A", "chatbot_id": str(a.public_id), "data": {"x": 1.0}},
        ],
    }
    assert response.json() == workspace.api.get().json()["results"][0]


@pytest.mark.parametrize(
    "prefer", ["return=minimal", "", "representation", "return=minimal, return=representation"]
)
def test_it_answers_with_nothing_otherwise(workspace, prefer):
    response = workspace.api.post({"identifier": "ada", "data": []}, Prefer=prefer)
    assert (response.status_code, response.content) == (200, b"")
    assert "Preference-Applied" not in response


# The rest of the refusals


@pytest.mark.parametrize(
    "body", ["{not json", "", "NaN", '{"identifier": NaN, "data": []}', b"\xff\xfe", "[1,]"]
)
def test_it_says_what_is_wrong_with_the_json(workspace, body):
    before = snapshot()
    response = workspace.api.post(body)
    assert response.status_code == 400
    if body:
        assert response.json()["detail"].startswith("JSON parse error - ")
    assert snapshot() == before


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_it_takes_json_only(workspace, media_type):
    body = json.dumps({"identifier": "ada", "data": []})
    response = workspace.api.post(body, Content_Type=media_type)
    assert response.status_code == 415
    assert response.json() == {"detail": f'Unsupported media type "{media_type}" in request.'}
    assert not Participant.objects.exists()


def test_it_refuses_a_body_that_is_too_large(workspace, settings):
    settings.MAX_BODY_BYTES = 200
    response = workspace.api.post({"identifier": "ada", "data": [], "more": "x" * 200})
    assert (response.status_code, response.json()) == (
        413,
        {"detail": "Request body is larger than 200 bytes."},
    )
    assert workspace.api.post({"identifier": "ada", "data": []}).status_code == 200


def test_public_ids_are_version_7_and_sort_by_time(workspace):
    for n in range(3):
        workspace.upsert(f"p{n}")
    found = [row.public_id for row in Participant.objects.order_by("pk")]
    assert all(isinstance(public_id, UUID) and public_id.version == 7 for public_id in found)
    assert [public_id.int >> 80 for public_id in found] == sorted(public_id.int >> 80 for public_id in found)


def test_it_finds_no_chatbot_that_was_deleted_since_it_wrote_for_it(workspace):
    bot = workspace.bots[1]
    entry = {"experiment": str(bot.public_id), "data": {"a": 1}}
    workspace.upsert("ada", entry)
    ParticipantData.objects.filter(chatbot=bot).delete()
    bot.delete()
    response = workspace.api.post({"identifier": "bob", "data": [workspace.entry(data={"b": 1}), entry]})
    missing = {"errors": [{"message": f"Experiment {entry['experiment']} not found"}]}
    assert (response.status_code, response.json()) == (404, missing)
    assert not Participant.objects.filter(identifier="bob").exists()
    assert (workspace.team.pk, bot.public_id) not in chatbots._found, "nor does it try again each time"
