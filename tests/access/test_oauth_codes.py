"""The authorization code flow."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.base_client.errors import OAuthError
from django.test import Client
from django.utils import timezone

from apps.access import keys
from apps.access.models import AccessToken, Application, Grant, RefreshToken
from apps.teams.models import Membership, Role
from tests.access.oauth import CALLBACK, VERIFIER, bearer, consent, http, token_for


def test_it_lets_an_application_act_for_a_person(workspace, other, app):
    other.upsert("theirs")
    _, token = token_for(workspace.owner, app)
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 3600
    assert set(token["scope"].split()) == {"participants:read", "participants:write"}
    assert bearer(token).post({"identifier": "ada", "data": []}).status_code == 200
    assert [row["identifier"] for row in bearer(token).get().json()["results"]] == ["ada"]


def test_it_says_who_issued_the_code(workspace, app):
    assert consent(workspace.owner, app)["iss"] == ["http://testserver"]


def test_it_keeps_no_token_that_opens(workspace, app):
    _, token = token_for(workspace.owner, app)
    for table, name in ((AccessToken, "access_token"), (RefreshToken, "refresh_token")):
        row = table.objects.get()
        assert row.team == workspace.team
        assert row.token == ""
        assert row.token_checksum == keys.digest(token[name]).hex()
    assert app.secret not in Application.objects.get(pk=app.application.pk).client_secret


def test_it_grants_read_alone_where_no_scope_is_asked_for(workspace, app):
    _, token = token_for(workspace.owner, app, scope=None)
    assert token["scope"] == "participants:read"
    assert bearer(token).get().status_code == 200
    assert bearer(token).post({"identifier": "ada", "data": []}).status_code == 403


def test_it_refuses_an_unknown_scope(workspace, app):
    assert consent(workspace.owner, app, scope="participants:read everything")["error"] == ["invalid_scope"]


def test_it_tells_the_application_when_the_person_says_no(workspace, app):
    assert consent(workspace.owner, app, allow=False)["error"] == ["access_denied"]


def test_a_viewer_hands_out_no_more_than_they_have(workspace, app):
    _, token = token_for(workspace.member(Role.VIEWER), app)
    assert token["scope"] == "participants:read"
    found = consent(workspace.member(Role.VIEWER), app, scope="participants:write")
    assert found["error"] == ["access_denied"]


def test_it_asks_for_the_team_of_a_global_application(workspace, other, global_app):
    Membership.objects.create(user=workspace.owner, team=other.team, role=Role.VIEWER)
    workspace.upsert("ours")
    other.upsert("theirs")
    _, token = token_for(workspace.owner, global_app, team=other.team)
    assert [row["identifier"] for row in bearer(token).get().json()["results"]] == ["theirs"]
    assert token["scope"] == "participants:read"
    _, token = token_for(workspace.owner, global_app, team=workspace.team)
    assert [row["identifier"] for row in bearer(token).get().json()["results"]] == ["ours"]


@pytest.mark.parametrize("which", ["app", "global_app"])
def test_nobody_grants_a_team_that_they_are_not_in(workspace, other, which, request):
    app = request.getfixturevalue(which)
    browser = Client()
    browser.force_login(other.owner)
    query = {
        "client_id": app.application.client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "participants:read",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    answer = browser.post("/o/authorize/", query | {"team": str(workspace.team.pk), "allow": "True"})
    assert answer.status_code == 200  # the form again, with what is wrong
    assert not Grant.objects.exists()


def test_it_asks_a_stranger_to_sign_in(app):
    response = Client().get("/o/authorize/", {"client_id": app.application.client_id})
    assert response.status_code == 302
    assert "/o/authorize/" in parse_qs(urlsplit(response["Location"]).query)["next"][0]


def test_it_redirects_only_to_a_registered_address(workspace, app):
    browser = Client()
    browser.force_login(workspace.owner)
    query = {
        "client_id": app.application.client_id,
        "response_type": "code",
        "redirect_uri": "https://evil.example/",
    }
    assert browser.get("/o/authorize/", query).status_code == 400


def test_it_insists_on_pkce_with_sha256(workspace, app):
    browser = Client()
    browser.force_login(workspace.owner)
    query = {"client_id": app.application.client_id, "response_type": "code", "redirect_uri": CALLBACK}
    for challenge in (
        {},
        {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        {"code_challenge": VERIFIER},
    ):
        page = browser.get("/o/authorize/", query | challenge)
        if page.status_code == 200:
            form = page.context["form"]
            fields = {field.html_name: field.value() or "" for field in form if field.is_hidden}
            page = browser.post("/o/authorize/", fields | {"team": str(workspace.team.pk), "allow": "True"})
        assert parse_qs(urlsplit(page["Location"]).query)["error"] == ["invalid_request"]
    assert not Grant.objects.exists()


def exchange(app, code, verifier=VERIFIER, redirect_uri=CALLBACK, secret=None):
    client = http(
        client_id=app.application.client_id, client_secret=secret or app.secret, redirect_uri=redirect_uri
    )
    return client.fetch_token(code=code, code_verifier=verifier)


def test_it_refuses_a_wrong_verifier_secret_or_address(workspace, app):
    code = consent(workspace.owner, app)["code"][0]
    for wrong in (
        {"verifier": "x" * 50},
        {"secret": "y" * 64},
        {"redirect_uri": "https://app.example/other"},
    ):
        with pytest.raises(OAuthError) as refused:
            exchange(app, code, **wrong)
        assert refused.value.error in (
            "invalid_grant",
            "invalid_client",
            "invalid_request",
            "mismatching_redirect_uri",
        )
    assert not AccessToken.objects.exists()
    assert exchange(app, code)["access_token"]


def test_it_takes_a_code_once(workspace, app):
    code = consent(workspace.owner, app)["code"][0]
    exchange(app, code)
    with pytest.raises(OAuthError) as refused:
        exchange(app, code)
    assert refused.value.error == "invalid_grant"


def test_it_refuses_an_expired_code_and_one_of_somebody_who_left(workspace, app):
    member = workspace.member(Role.EDITOR)
    code = consent(member, app)["code"][0]
    Membership.objects.filter(user=member).delete()
    with pytest.raises(OAuthError):
        exchange(app, code)
    code = consent(workspace.owner, app)["code"][0]
    Grant.objects.update(expires=timezone.now() - timedelta(seconds=1))
    with pytest.raises(OAuthError):
        exchange(app, code)
