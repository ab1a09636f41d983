"""The widget's operations: what a visitor's page can do, and what it can't."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from apps.access.embedding import revoke_embed_key, rotate_identity_secret
from apps.participants.models import Participant
from apps.teams.models import Role
from tests.api.widget_page import SITE, Page, refused
from tests.fixtures import Api, Workspace


@pytest.fixture
def page(workspace) -> Page:
    return Page(workspace)


# Who a visitor is


def test_it_makes_somebody_new_of_an_unknown_visitor(page, workspace):
    response = page.identify(name="Ada", remote_id="r-1")
    found = response.json()
    row = Participant.objects.get()
    assert response.status_code == 200
    assert found["participant"] == {
        "id": str(row.public_id),
        "identifier": row.identifier,
        "name": "Ada",
        "platform": "embedded_widget",
        "remote_id": "r-1",
    }
    assert row.identifier.startswith("anon:")
    assert row.team == workspace.team
    page.identify()
    assert Participant.objects.count() == 2


def test_it_knows_a_visitor_again_by_their_token(page):
    first = page.identify().json()
    again = page.identify(token=first["participant_token"], name="Ada").json()
    assert again["participant"] == first["participant"] | {"name": "Ada"}
    assert Participant.objects.count() == 1


def vouch(secret, chatbot_id, **changes):
    claims = {"sub": "ada@site.example", "aud": str(chatbot_id), "exp": timezone.now() + timedelta(minutes=5)}
    return jwt.encode(
        {k: v for k, v in (claims | changes).items() if v is not None}, secret, algorithm="HS256"
    )


def test_it_takes_the_host_sites_word(page, workspace):
    secret = rotate_identity_secret(workspace.bot)
    for _ in range(2):
        found = page.identify(identity_token=vouch(secret, page.chatbot_id)).json()["participant"]
        assert (found["identifier"], found["platform"]) == ("ada@site.example", "embedded_widget")
    assert Participant.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"aud": str(uuid4())},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "x" * 321},
        {"sub": "a\x00b"},
        {"sub": "anon:1f0e6b8a-6f6b-4c9c-9d0b-0a1b2c3d4e5f"},
        {"exp": None},
        {"exp": 1},
        {"exp": timezone.now() + timedelta(minutes=30)},
        {"exp": "soon"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_it_refuses_a_word_that_is_not_for_this(page, workspace, change):
    secret = rotate_identity_secret(workspace.bot)
    try:
        token = vouch(secret, page.chatbot_id, **change)
    except TypeError:  # the library does not sign a subject that is no text
        return
    assert refused(page.identify(identity_token=token))
    assert not Participant.objects.exists()


def test_it_refuses_another_signature_or_none(page, workspace):
    old = rotate_identity_secret(workspace.bot)
    secret = rotate_identity_secret(workspace.bot)
    claims = {"sub": "ada", "aud": str(page.chatbot_id), "exp": timezone.now() + timedelta(minutes=5)}
    for token in (
        vouch(old, page.chatbot_id),
        vouch("x" * 43, page.chatbot_id),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, secret + "x" * 32, algorithm="HS512"),
        vouch(secret, page.chatbot_id)[:-2],
        "not.a.token",
        "\u00e9",
    ):
        assert refused(page.identify(identity_token=token))
    assert page.identify(identity_token=vouch(secret, page.chatbot_id)).status_code == 200


def test_a_member_is_themself(workspace):
    member = workspace.member(Role.VIEWER)
    client = Client()
    client.force_login(member)
    api = Api(client=client)
    path = f"/api/widget/{workspace.bot.public_id}"
    found = api.post({}, f"{path}/identify").json()
    assert (found["participant"]["identifier"], found["participant"]["platform"]) == (member.email, "web")
    me = api.get(f"{path}/me", X_Participant_Token=found["participant_token"])
    assert me.json()["participant"] == found["participant"]


def test_a_member_finds_no_chatbot_of_another_team(workspace, other):
    client = Client()
    client.force_login(workspace.owner)
    response = Api(client=client).post({}, f"/api/widget/{other.bot.public_id}/identify")
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


# What they see and change


def test_it_shows_the_visitor_what_this_chatbot_knows_of_them(page, workspace):
    token = page.enter(name="Ada")
    row = Participant.objects.get()
    one, two = workspace.bots
    schedule = {"id": "s", "name": "Visit", "prompt": "secret words", "date": "2030-05-01T08:00:00Z"}
    workspace.upsert(
        row.identifier,
        {"experiment": str(one.public_id), "data": {"n": 1.0}, "schedules": [schedule]},
        {"experiment": str(two.public_id), "data": {"other": "bot"}},
        platform="embedded_widget",
    )
    workspace.upsert("somebody else", workspace.entry(data={"secret": 1}, schedules=[schedule]))
    response = page.me(token)
    assert response.status_code == 200
    assert response.json() == {
        "participant": {
            "id": str(row.public_id),
            "identifier": row.identifier,
            "name": "Ada",
            "platform": "embedded_widget",
            "remote_id": "",
        },
        "data": {"n": 1.0},
        "schedules": [{"id": "s", "name": "Visit", "date": "2030-05-01T08:00:00Z"}],
    }
    assert b"secret words" not in response.content


def test_it_changes_nothing_but_the_name_by_default(page):
    token = page.enter()
    assert page.change(token, name="Ada").json()["participant"]["name"] == "Ada"
    response = page.change(token, name="Eve", data={"language": "en"})
    assert (response.status_code, response.json()) == (403, {"detail": "This page may not change: language"})
    assert page.me(token).json()["participant"]["name"] == "Ada"
    assert page.me(token).json()["data"] == {}


def test_it_merges_under_the_keys_that_the_page_may_write(workspace):
    page = Page(workspace, writable_keys=["language", "wishes"])
    token = page.enter()
    identifier = Participant.objects.get().identifier
    workspace.upsert(
        identifier,
        workspace.entry(data={"visits": 1.0, "wishes": {"a": 1, "b": 2}}),
        platform="embedded_widget",
    )
    response = page.change(token, data={"language": "en", "wishes": {"a": None, "c": [None]}})
    assert response.json()["data"] == {"visits": 1.0, "wishes": {"b": 2, "c": [None]}, "language": "en"}
    assert workspace.stored()[identifier]["Bot A"].startswith('{"visits":1.0,')
    assert page.change(token, data={"visits": 5}).status_code == 403
    assert page.change(token, data={"language": None}).json()["data"] == {
        "visits": 1.0,
        "wishes": {"b": 2, "c": [None]},
    }


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"data": []}, "data"),
        ({"data": {"a": "\ud800"}}, "data"),
    ],
)
def test_it_refuses_a_change_that_makes_no_sense(workspace, fields, field):
    page = Page(workspace, writable_keys=["a"])
    response = page.change(page.enter(), **fields)
    assert response.status_code == 400
    assert list(response.json()) == [field]


# Who is kept out


def test_it_refuses_every_page_that_the_key_is_not_for(page):
    token = page.enter()
    for origin in (
        "https://evil.example",
        "http://site.example",
        f"{SITE}:444",
        "null",
        "",
        "https://site.example.evil.example",
    ):
        page.api.headers["Origin"] = origin
        for response in (page.identify(), page.me(token), page.change(token, name="Eve")):
            assert refused(response)
            assert "Access-Control-Allow-Origin" not in response
    del page.api.headers["Origin"]
    assert refused(page.identify())


def test_it_refuses_what_does_not_belong_together(page, workspace, other):
    token = page.enter()
    second_bot = Page(Workspace(workspace.team, workspace.owner, workspace.bots[::-1], workspace.api))
    second_key = Page(workspace)
    theirs = Page(other)
    assert refused(second_bot.me(token))
    assert refused(second_key.me(token))
    assert refused(theirs.me(token))
    assert refused(page.me(theirs.enter()))
    assert refused(page.me(token[:-1]))
    assert refused(page.identify(token="nonsense"))
    theirs.chatbot_id = page.chatbot_id
    assert refused(theirs.identify())
    page.chatbot_id = uuid4()
    assert refused(page.identify())


def test_a_revoked_key_takes_its_tokens_along(page):
    token = page.enter()
    revoke_embed_key(page.embed_key, now=timezone.now())
    for response in (page.identify(), page.me(token), page.change(token, name="Eve")):
        assert refused(response)


def test_a_token_expires(page, settings):
    settings.PARTICIPANT_TOKEN_HOURS = 0
    token = page.enter()
    assert refused(page.me(token))
    assert refused(page.identify(token=token))


def test_a_token_dies_with_its_person(page):
    token = page.enter()
    Participant.objects.all().delete()
    assert refused(page.me(token))


def test_it_asks_for_a_credential_and_takes_no_key_of_the_team(page, workspace):
    path = f"/api/widget/{page.chatbot_id}/identify"
    assert Api().post({}, path).status_code == 401
    assert workspace.api.post({}, path).status_code == 403
    assert refused(Api("bad").post({}, path))
    assert not Participant.objects.exists()


def test_an_embed_key_never_opens_the_list(page):
    for response in (page.api.get(), page.api.post({"identifier": "a", "data": []})):
        assert response.status_code == 403
        assert response.json() == {
            "detail": "An embed key opens only the widget's operations, under /api/widget/."
        }
