"""OAuth2 as an application goes about it: by a client that we did not write (authlib)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from django.test import Client

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
