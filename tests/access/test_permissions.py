"""The one permission table: every route and method, for every kind of caller."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.access import keys
from apps.access.embedding import create_embed_key
from apps.access.models import AccessToken, ApiKey
from apps.access.services import create_application, revoke_api_key
from apps.teams.models import Membership, Role, User
from tests.fixtures import Api, Workspace

READ, WRITE, WIDGET = "participants:read", "participants:write", "widget"
OPEN = None  # asks for nothing

# Route -> method -> what it asks for. A method that is not named answers 405.
TABLE: dict[str, dict[str, str | None]] = {
    **{
        path: {"GET": READ, "HEAD": READ, "POST": WRITE, "OPTIONS": ""}
        for path in (
            "/api/participants",
            "/api/participants/",
            "/api/v1/participants",
            "/api/v1/participants/",
        )
    },
    "/api/participants/<uuid:participant_id>/schedules": {"POST": WRITE, "OPTIONS": ""},
    "/api/schedules": {"GET": READ, "HEAD": READ, "OPTIONS": ""},
    "/api/schedules/preview": {"POST": READ, "OPTIONS": ""},
    "/api/schedules/<uuid:schedule_id>": {"GET": READ, "HEAD": READ, "PATCH": WRITE, "OPTIONS": ""},
    "/api/schedules/<uuid:schedule_id>/cancel": {"POST": WRITE, "OPTIONS": ""},
    "/api/schedules/<uuid:schedule_id>/retry": {"POST": WRITE, "OPTIONS": ""},
    "/api/schedules/<uuid:schedule_id>/preview": {"POST": READ, "OPTIONS": ""},
    "/api/widget/<uuid:chatbot_id>/identify": {"POST": WIDGET, "OPTIONS": OPEN},
    "/api/widget/<uuid:chatbot_id>/me": {"GET": WIDGET, "HEAD": WIDGET, "PATCH": WIDGET, "OPTIONS": OPEN},
    "/api/schema/": {"GET": OPEN, "HEAD": OPEN, "OPTIONS": OPEN},
    "/api/docs/": {"GET": OPEN, "HEAD": OPEN, "OPTIONS": OPEN},
    "/api/redoc/": {"GET": OPEN, "HEAD": OPEN, "OPTIONS": OPEN},
}
# What follows rules of its own, with tests of its own.
ELSEWHERE = {
    "": "pages: tests/console, tests/browser",
    "o/": "OAuth2: test_oauth_codes.py and test_oauth_tokens.py",
    ".well-known/": "OAuth2's metadata: test_oauth_tokens.py",
    "health/": "public: tests/api/test_health.py",
    "admin": "the admin: tests/console",
    "invitation/": "invitations: tests/console/test_members.py",
    "favicon.ico": "a static picture",
    "account/": "signing in: tests/console",
    "api/docs/oauth2-redirect.html": "a static page",
}


def routes() -> set[str]:
    """Every route of the API, as the resolver has them."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            found |= walk(pattern.url_patterns, route) if isinstance(pattern, URLResolver) else {route}
        return found

    return walk(get_resolver().url_patterns, "")


def is_elsewhere(route: str) -> bool:
    if route.startswith("api/"):
        return route in ELSEWHERE
    return route in ELSEWHERE or any(prefix and route.startswith(prefix) for prefix in ELSEWHERE)


def test_every_route_is_in_the_table():
    assert {route for route in routes() if f"/{route}" not in TABLE and not is_elsewhere(route)} == set()
    assert {path.removeprefix("/") for path in TABLE} <= routes()


# Callers: what each may do. None: refused as a credential.

RIGHTS: dict[str, set[str] | None] = {
    "no credential": None,
    "API key of an owner": {READ, WRITE},
    "API key of an editor": {READ, WRITE},
    "API key of a viewer": {READ},
    "API key as bearer": {READ, WRITE},
    "read-only key": {READ},
    "expired key": None,
    "revoked key": None,
    "unknown key": None,
    "key of an inactive owner": None,
    "key of a former member": None,
    "key of another team": {READ, WRITE},
    "person's token, both scopes": {READ, WRITE},
    "person's token, read": {READ},
    "viewer's token, both scopes": {READ},
    "machine token": {READ, WRITE},
    "machine token, read": {READ},
    "expired token": None,
    "token of a former member": None,
    "session of an owner": {READ, WRITE, WIDGET},
    "session of an editor": {READ, WRITE, WIDGET},
    "session of a viewer": {READ, WIDGET},
    "session of a stranger": None,
    "embed key": {WIDGET},
    "embed key from another page": {WIDGET},
}


def token(workspace: Workspace, *, user: User | None, scope: str, expires: int = 3600) -> Api:
    application = create_application(
        team=workspace.team, name="App", is_machine=user is None, redirect_uris=["https://app.example/"]
    ).application
    secret = keys.new_secret(keys.ACCESS_TOKEN_PREFIX)
    row = AccessToken(
        user=user,
        team=workspace.team,
        application=application,
        scope=scope,
        expires=timezone.now() + timedelta(seconds=expires),
    )
    row._raw_token, row.token = secret, ""
    row.save()
    return Api(headers={"Authorization": f"Bearer {secret}"})


def signed_in(user: User) -> Api:
    api = Api()
    api.client.force_login(user)
    return api


def embedded(workspace: Workspace, origin: str) -> Api:
    made = create_embed_key(
        team=workspace.team, chatbot=workspace.bot, name="Site", allowed_origins=["https://site.example"]
    )
    return Api(headers={"X-Embed-Key": made.key, "Origin": origin})


def former(workspace: Workspace) -> User:
    return workspace.member(Role.EDITOR)


def leave(user: User) -> None:
    Membership.objects.filter(user=user).delete()


def caller(kind: str, workspace: Workspace, other: Workspace) -> Api:
    both = f"{READ} {WRITE}"
    member = workspace.member
    make: dict[str, Callable[[], Api]] = {
        "no credential": Api,
        "API key of an owner": lambda: Api(workspace.key()),
        "API key of an editor": lambda: Api(workspace.key(user=member(Role.EDITOR))),
        "API key of a viewer": lambda: Api(workspace.key(user=member(Role.VIEWER))),
        "API key as bearer": lambda: Api(headers={"Authorization": f"Bearer {workspace.key()}"}),
        "read-only key": lambda: Api(workspace.key(read_only=True)),
        "expired key": lambda: Api(workspace.key(expires_at=timezone.now() - timedelta(seconds=1))),
        "unknown key": lambda: Api(keys.new_secret()),
        "key of another team": lambda: Api(other.key()),
        "person's token, both scopes": lambda: token(workspace, user=member(Role.EDITOR), scope=both),
        "person's token, read": lambda: token(workspace, user=member(Role.EDITOR), scope=READ),
        "viewer's token, both scopes": lambda: token(workspace, user=member(Role.VIEWER), scope=both),
        "machine token": lambda: token(workspace, user=None, scope=both),
        "machine token, read": lambda: token(workspace, user=None, scope=READ),
        "expired token": lambda: token(workspace, user=member(Role.EDITOR), scope=both, expires=-1),
        "session of an owner": lambda: signed_in(workspace.owner),
        "session of an editor": lambda: signed_in(member(Role.EDITOR)),
        "session of a viewer": lambda: signed_in(member(Role.VIEWER)),
        "session of a stranger": lambda: signed_in(User.objects.create_user("stranger@x.example")),
        "embed key": lambda: embedded(workspace, "https://site.example"),
        "embed key from another page": lambda: embedded(workspace, "https://evil.example"),
    }
    if kind in make:
        return make[kind]()
    user = former(workspace)
    api = (
        token(workspace, user=user, scope=both) if kind.startswith("token") else Api(workspace.key(user=user))
    )
    if kind == "revoked key":
        revoke_api_key(ApiKey.objects.get(user=user), now=timezone.now())
    elif kind == "key of an inactive owner":
        User.objects.filter(pk=user.pk).update(is_active=False)
    else:
        leave(user)
    return api


def address_of(path: str, workspace: Workspace) -> str:
    """With the chatbot of the team, and other ids that nobody has."""
    known = path.replace("<uuid:chatbot_id>", str(workspace.bot.public_id))
    return re.sub(r"<uuid:\w+>", str(uuid4()), known)


def expected(kind: str, path: str, asked: str | None) -> set[int]:
    """The statuses that an answer may have; 2xx, 400 and 404 mean that the caller was let in."""
    let_in = {200, 204, 400, 404}
    if asked is OPEN:
        return let_in
    is_widget = path.startswith("/api/widget/")
    if kind.startswith("embed key"):
        # A page that the key is not for learns nothing; elsewhere it is told where the key is for.
        return ({401} if kind.endswith("another page") else let_in | {401}) if is_widget else {403}
    rights = RIGHTS[kind]
    if rights is None:
        return {401}
    if asked == "" or asked in rights:
        # The widget's own token is missing: that is for test_widget.py.
        return let_in | ({401} if is_widget else set())
    return {403}


@pytest.mark.parametrize("kind", RIGHTS)
def test_each_caller_does_what_it_may_and_no_more(workspace, other, kind):
    api = caller(kind, workspace, other)
    for path, methods in TABLE.items():
        address = address_of(path, workspace)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            body = {"identifier": "ada", "data": []} if method in ("POST", "PATCH") else None
            response = api.request(method, address, body)
            if method not in methods:
                assert response.status_code in (405, 401, 403), (kind, method, path)
                continue
            allowed = expected(kind, path, methods[method])
            assert response.status_code in allowed, (kind, method, path, response.status_code)


def test_an_unknown_method_is_405_for_who_is_let_in(workspace):
    for path, methods in TABLE.items():
        if READ in methods.values():
            address = address_of(path, workspace)
            assert workspace.api.request("TRACE", address).status_code == 405
