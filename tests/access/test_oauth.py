"""OAuth2, driven by a client that we did not write (authlib)."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.access import keys
from apps.access.models import AccessToken, Application, Grant, RefreshToken
from apps.access.services import create_application
from apps.teams.models import Membership, Role
from tests.fixtures import Api

CALLBACK = "https://app.example/callback"
VERIFIER = "a-verifier-of-more-than-43-characters-0123456789"


class Transport(httpx.BaseTransport):
    """Hands httpx's requests to Django's test client, inside the test's transaction."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        found = Client().generic(
            request.method,
            request.url.raw_path.decode(),
            request.read(),
            content_type=headers.pop("content-type", ""),
            headers=headers,
        )
        return httpx.Response(found.status_code, headers=dict(found.headers), content=found.content)


def http(**options) -> OAuth2Client:
    return OAuth2Client(
        transport=Transport(),
        base_url="http://testserver",
        token_endpoint="http://testserver/o/token/",
        **options,
    )


@pytest.fixture
def app(workspace):
    """A team's confidential application."""
    return create_application(team=workspace.team, name="Clinic app", redirect_uris=[CALLBACK])


@pytest.fixture
def global_app(db):
    return create_application(team=None, name="Everybody's app", redirect_uris=[CALLBACK])


@pytest.fixture
def machine(workspace):
    return create_application(team=workspace.team, name="Nightly job", is_machine=True)


def consent(user, app, *, team=None, scope="participants:read participants:write", allow=True, **changes):
    """Goes through the consent page as a person would; the parameters that come back."""
    client = http(
        client_id=app.application.client_id, redirect_uri=CALLBACK, scope=scope, code_challenge_method="S256"
    )
    url, state = client.create_authorization_url(
        "http://testserver/o/authorize/", code_verifier=VERIFIER, **changes
    )
    browser = Client()
    browser.force_login(user)
    page = browser.get(url)
    if page.status_code == 302:
        return parse_qs(urlsplit(page["Location"]).query)
    form = page.context["form"]
    fields = {field.html_name: field.value() or "" for field in form if field.is_hidden}
    fields["team"] = str((team or app.application.team).pk)
    answer = browser.post(url, fields | ({"allow": "True"} if allow else {}))
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"].startswith(CALLBACK)
    found = parse_qs(urlsplit(answer["Location"]).query)
    assert found["state"] == [state]
    return found


def token_for(user, app, **options):
    found = consent(user, app, **options)
    client = http(client_id=app.application.client_id, client_secret=app.secret, redirect_uri=CALLBACK)
    return client, client.fetch_token(code=found["code"][0], code_verifier=VERIFIER)


def bearer(token) -> Api:
    return Api(headers={"Authorization": f"Bearer {token['access_token']}"})


REFUSED = {"detail": "Invalid or expired credentials."}


def is_refused(token) -> bool:
    response = bearer(token).get()
    return (response.status_code, response.json()) == (401, REFUSED)


# The code flow


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
