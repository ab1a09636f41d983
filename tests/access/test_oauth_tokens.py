"""Tokens of OAuth2: what they open, how they are renewed and how they end."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.access.models import AccessToken, Application
from apps.teams.models import Membership, Role
from tests.access.oauth import bearer, http, is_refused, token_for
from tests.fixtures import Api

# Refresh tokens


def test_it_rotates_refresh_tokens(workspace, app):
    client, first = token_for(workspace.owner, app)
    second = dict(client.refresh_token("http://testserver/o/token/", refresh_token=first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"]
    assert bearer(second).get().status_code == 200
    assert is_refused(first)


def test_a_reused_refresh_token_ends_the_whole_family(workspace, app):
    client, first = token_for(workspace.owner, app)
    second = dict(client.refresh_token("http://testserver/o/token/", refresh_token=first["refresh_token"]))
    with pytest.raises(OAuthError):
        client.refresh_token("http://testserver/o/token/", refresh_token=first["refresh_token"])
    assert is_refused(second)
    with pytest.raises(OAuthError):
        client.refresh_token("http://testserver/o/token/", refresh_token=second["refresh_token"])


def test_it_does_not_refresh_for_somebody_who_left(workspace, app):
    member = workspace.member(Role.EDITOR)
    client, token = token_for(member, app)
    Membership.objects.filter(user=member).delete()
    with pytest.raises(OAuthError):
        client.refresh_token("http://testserver/o/token/", refresh_token=token["refresh_token"])


# Machines


def machine_token(machine, scope="participants:read participants:write"):
    client = http(client_id=machine.application.client_id, client_secret=machine.secret, scope=scope)
    return client.fetch_token(grant_type="client_credentials")


def test_it_lets_a_machine_in_with_its_scopes(workspace, other, machine):
    other.upsert("theirs")
    token = machine_token(machine)
    assert "refresh_token" not in token
    assert bearer(token).post({"identifier": "ada", "data": []}).status_code == 200
    assert [row["identifier"] for row in bearer(token).get().json()["results"]] == ["ada"]
    assert AccessToken.objects.get().user is None
    read = machine_token(machine, "participants:read")
    assert bearer(read).post({"identifier": "bob", "data": []}).status_code == 403
    assert machine_token(machine, None)["scope"] == "participants:read"


def test_a_machine_token_takes_no_password_hash(machine):
    machine_token(machine)
    started = time.process_time()
    for _ in range(5):
        machine_token(machine)
    assert (time.process_time() - started) / 5 < 0.1  # with both client and server in this process


def test_a_machine_has_a_team(global_app):
    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.filter(pk=global_app.application.pk).update(
            authorization_grant_type="client-credentials"
        )


@pytest.mark.parametrize("grant", ["password", "implicit", "openid-hybrid"])
def test_there_is_no_unsafe_grant(global_app, grant):
    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.filter(pk=global_app.application.pk).update(authorization_grant_type=grant)


@pytest.mark.parametrize(
    "grant", ["password", "urn:ietf:params:oauth:grant-type:device_code", "nonsense", ""]
)
def test_it_answers_other_grants_with_an_error(machine, grant):
    response = Client(raise_request_exception=False).post(
        "/o/token/",
        {
            "grant_type": grant,
            "client_id": machine.application.client_id,
            "client_secret": machine.secret,
            "username": "x",
            "password": "y",
        },
    )
    assert response.status_code in (400, 401)
    assert response.json()["error"] in (
        "unsupported_grant_type",
        "unauthorized_client",
        "invalid_request",
        "invalid_client",
        "invalid_grant",
    )


# Rights at each request


@pytest.mark.parametrize("how", ["left", "inactive", "team deleted", "application deleted", "expired"])
def test_it_refuses_a_token_from_the_next_request_on(workspace, app, how):
    member = workspace.member(Role.EDITOR)
    _, token = token_for(member, app)
    assert bearer(token).get().status_code == 200
    if how == "left":
        Membership.objects.filter(user=member).delete()
    elif how == "inactive":
        member.is_active = False
        member.save()
    elif how == "team deleted":
        workspace.team.delete()
    elif how == "application deleted":
        app.application.delete()
    else:
        AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert is_refused(token)


def test_a_demoted_member_writes_no_more(workspace, app):
    member = workspace.member(Role.EDITOR)
    _, token = token_for(member, app)
    assert bearer(token).post({"identifier": "ada", "data": []}).status_code == 200
    Membership.objects.filter(user=member).update(role=Role.VIEWER)
    assert bearer(token).post({"identifier": "bob", "data": []}).status_code == 403
    assert bearer(token).get().status_code == 200


def test_a_token_is_no_api_key_and_takes_no_detour(workspace, app):
    _, token = token_for(workspace.owner, app)
    assert Api(token["access_token"]).get().status_code == 401
    assert Api().get(f"/api/participants?access_token={token['access_token']}").status_code == 401
    assert Api(headers={"Authorization": f"Bearer {token['refresh_token']}"}).get().status_code == 401


# Revocation, introspection, metadata


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_it_revokes(workspace, app, kind):
    client, token = token_for(workspace.owner, app)
    assert client.revoke_token("http://testserver/o/revoke_token/", token=token[kind]).status_code == 200
    assert is_refused(token)
    with pytest.raises(OAuthError):
        client.refresh_token("http://testserver/o/token/", refresh_token=token["refresh_token"])


def introspect(app, token, secret=None):
    client = http(client_id=app.application.client_id, client_secret=secret or app.secret)
    return client.introspect_token("http://testserver/o/introspect/", token=token)


def test_it_tells_the_application_what_its_token_opens(workspace, app, machine):
    member = workspace.member(Role.EDITOR)
    _, token = token_for(member, app)
    found = introspect(app, token["access_token"]).json()
    assert found["active"] is True
    assert found["username"] == member.email
    assert found["client_id"] == app.application.client_id
    assert found["scope"] == "participants:read participants:write"
    Membership.objects.filter(user=member).update(role=Role.VIEWER)
    assert introspect(app, token["access_token"]).json()["scope"] == "participants:read"
    assert introspect(machine, token["access_token"]).json() == {"active": False}
    assert introspect(app, "nonsense").json() == {"active": False}
    assert introspect(app, token["access_token"], secret="z" * 64).status_code == 401
    Membership.objects.filter(user=member).delete()
    assert introspect(app, token["access_token"]).json() == {"active": False}
    assert Client().get("/o/introspect/", {"token": token["access_token"]}).status_code == 405


def test_it_describes_itself(db):
    found = Client().get("/.well-known/oauth-authorization-server").json()
    metadata = AuthorizationServerMetadata(found)
    assert found["issuer"] == "http://testserver"
    assert found["authorization_endpoint"] == "http://testserver/o/authorize/"
    assert found["token_endpoint"] == "http://testserver/o/token/"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert sorted(found["grant_types_supported"]) == [
        "authorization_code",
        "client_credentials",
        "refresh_token",
    ]
    assert found["scopes_supported"] == ["participants:read", "participants:write"]
    assert metadata.token_endpoint_auth_methods_supported
    resource = Client().get("/.well-known/oauth-protected-resource").json()
    assert resource["authorization_servers"] == ["http://testserver"]
    assert resource["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize(
    "path", ["/o/applications/", "/o/register/", "/o/device/", "/o/userinfo/", "/o/authorized_tokens/"]
)
def test_it_does_not_serve_what_it_does_not_offer(db, path):
    assert Client().get(path).status_code == 404


def test_the_documentation_is_a_client_on_its_own_host_only(workspace, docs_client):
    browser = Client()
    browser.force_login(workspace.owner)
    query = {
        "client_id": "api-docs",
        "response_type": "code",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "redirect_uri": "http://testserver/api/docs/oauth2-redirect.html",
    }
    assert browser.get("/o/authorize/", query).status_code == 200
    for elsewhere in ("http://evil.example/api/docs/oauth2-redirect.html", "http://testserver/"):
        assert browser.get("/o/authorize/", query | {"redirect_uri": elsewhere}).status_code == 400
