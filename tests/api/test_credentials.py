"""Which credentials open the two operations, and what the others are told (the contract's Credentials)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.access.models import ApiKey
from apps.access.services import revoke_api_key
from apps.participants.models import Participant
from apps.teams.models import Membership, Role
from tests.fixtures import Api

PATHS = ["/api/participants", "/api/participants/", "/api/v1/participants", "/api/v1/participants/"]
NOT_PROVIDED = {"detail": "Authentication credentials were not provided."}
REFUSED = {"detail": "Invalid or expired credentials."}
FORBIDDEN = {"detail": "You do not have permission to perform this action."}
BODY = {"identifier": "ada", "data": []}


def refused(response, body) -> bool:
    return (
        response.status_code == 401
        and response.json() == body
        and response["WWW-Authenticate"] == 'Bearer realm="api"'
    )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"X-api-key": ""},
        {"X-api-key": " "},
    ],
    ids=repr,
)
def test_it_asks_for_a_credential_where_there_is_none(db, path, headers):
    for response in (Api().get(path, **headers), Api().post(BODY, path, **headers)):
        assert refused(response, NOT_PROVIDED)
    assert not Participant.objects.exists()


def spoil(workspace, key, how):
    row = ApiKey.objects.get(team=workspace.team, hint=key[:8])
    if how == "expired":
        row.expires_at = timezone.now() - timedelta(seconds=1)
        row.save()
    elif how == "revoked":
        revoke_api_key(row, now=timezone.now())
    elif how == "owner inactive":
        workspace.owner.is_active = False
        workspace.owner.save()
    elif how == "owner left":
        Membership.objects.filter(user=workspace.owner).delete()
    elif how == "team deleted":
        workspace.team.delete()


@pytest.mark.parametrize("how", ["expired", "revoked", "owner inactive", "owner left", "team deleted"])
@pytest.mark.parametrize("header", ["Authorization", "X-api-key"])
def test_it_refuses_a_key_from_the_next_request_on(workspace, header, how):
    key = workspace.api.key
    api = Api(headers={header: f"Bearer {key}" if header == "Authorization" else key})
    assert api.get().status_code == 200
    spoil(workspace, key, how)
    assert refused(api.get(), REFUSED)
    assert refused(api.post(BODY), REFUSED)
    assert not Participant.objects.exists()


@pytest.mark.parametrize(
    "alter",
    [
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: key + "A",
        lambda key: key[:-1],
        lambda key: key.upper(),
        lambda key: key.removeprefix("ocp_"),
        lambda _: "unknown",
        lambda _: "\u00e9\u4e2d",
        lambda _: "x" * 100_000,
    ],
)
def test_it_refuses_an_altered_key_in_the_same_words(workspace, alter):
    key = alter(workspace.api.key)
    assert refused(Api(key).get(), REFUSED)
    assert refused(Api(headers={"Authorization": f"Bearer {key}"}).get(), REFUSED)


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER", "Bearer   "])
def test_it_takes_a_key_as_bearer_token(workspace, word):
    api = Api(headers={"Authorization": f"{word} {workspace.api.key}"})
    assert api.get().status_code == 200
    assert api.post(BODY).status_code == 200
    assert Participant.objects.get().team == workspace.team


def test_it_takes_the_session_of_a_member(workspace):
    client = Client(enforce_csrf_checks=True)
    client.force_login(workspace.owner)
    api = Api(client=client)
    assert api.get().json() == {"next": None, "previous": None, "results": []}
    response = api.post(BODY)
    assert response.status_code == 403
    assert response.json()["detail"].startswith("CSRF Failed: ")
    assert not Participant.objects.exists()

    token = "a" * 32
    client.cookies["csrftoken"] = token
    assert api.post(BODY, X_CSRFToken=token).status_code == 200
    assert Participant.objects.get().team == workspace.team


def test_it_refuses_the_session_of_somebody_in_no_team(workspace):
    Membership.objects.filter(user=workspace.owner).delete()
    client = Client()
    client.force_login(workspace.owner)
    assert refused(Api(client=client).get(), REFUSED)


def test_it_says_where_embed_keys_are_for(db):
    for response in (Api().get(X_Embed_Key="anything"), Api().post(BODY, X_Embed_Key="anything")):
        assert response.status_code == 403
        assert response.json() == {
            "detail": "An embed key opens only the widget's operations, under /api/widget/."
        }


def test_it_lets_the_first_of_two_credentials_decide(workspace, other):
    workspace.upsert("ours")
    other.upsert("theirs")
    key, their_key = workspace.api.key, other.api.key

    def names(**headers: str) -> list[str]:
        response = Api().get(**headers)
        assert response.status_code == 200, response.content
        return [row["identifier"] for row in response.json()["results"]]

    assert names(Authorization=f"Bearer {key}", X_api_key=their_key) == ["ours"]
    assert names(Authorization=f"Bearer {key}", X_api_key="bad") == ["ours"]
    assert names(X_api_key=key, X_Embed_Key="any") == ["ours"]
    assert refused(Api().get(Authorization="Bearer bad", X_api_key=key), REFUSED)

    client = Client()
    client.force_login(other.owner)
    assert [row["identifier"] for row in Api(client=client).get().json()["results"]] == ["theirs"]
    assert [row["identifier"] for row in Api(key, client=client).get().json()["results"]] == ["ours"]
    assert refused(Api("bad", client=client).get(), REFUSED)
    assert Api(client=client).get(X_Embed_Key="any").status_code == 403


@pytest.mark.parametrize(
    ("role", "read_only", "may_write"),
    [
        (Role.OWNER, False, True),
        (Role.EDITOR, False, True),
        (Role.VIEWER, False, False),
        (Role.OWNER, True, False),
        (Role.EDITOR, True, False),
        (Role.VIEWER, True, False),
    ],
)
def test_it_writes_only_with_the_right_to(workspace, role, read_only, may_write):
    api = Api(workspace.key(user=workspace.member(role), read_only=read_only))
    assert api.get().status_code == 200
    response = api.post(BODY)
    if may_write:
        assert response.status_code == 200
    else:
        assert (response.status_code, response.json()) == (403, FORBIDDEN)
    assert Participant.objects.exists() is may_write


def test_it_checks_rights_before_the_body(workspace):
    viewer = Api(workspace.key(read_only=True))
    assert refused(Api("bad").post("{not json"), REFUSED)
    assert viewer.post("{not json").json() == FORBIDDEN


@pytest.mark.parametrize("name", ["api_key", "X-api-key", "access_token", "token", "key", "sessionid"])
def test_it_ignores_a_credential_in_the_query(workspace, name):
    assert refused(Api().get(f"/api/participants?{name}={workspace.api.key}"), NOT_PROVIDED)


def test_it_gives_a_key_no_cookie(workspace):
    assert not workspace.api.get().cookies
    assert not workspace.api.post(BODY).cookies


def test_it_notes_the_use_of_a_key_once_a_minute(workspace, django_assert_num_queries):
    key = ApiKey.objects.get(team=workspace.team)
    assert key.last_used_at is None
    with django_assert_num_queries(1):  # `apps.sql`, which reads the credential and the list, is not counted
        workspace.api.get()
    key.refresh_from_db()
    first = key.last_used_at
    assert timezone.now() - first < timedelta(seconds=10)
    with django_assert_num_queries(0):
        workspace.api.get()
    ApiKey.objects.update(last_used_at=first - timedelta(seconds=61))
    workspace.api.get()
    key.refresh_from_db()
    assert key.last_used_at >= first


def test_it_stores_nothing_that_opens(workspace):
    secret = workspace.key()
    row = ApiKey.objects.get(hint=secret[:8])
    stored = " ".join(str(getattr(row, field.name)) for field in ApiKey._meta.fields)
    assert len(secret) == 4 + 43
    assert secret.startswith("ocp_")
    assert secret not in stored
    assert bytes(row.hash) not in secret.encode()
