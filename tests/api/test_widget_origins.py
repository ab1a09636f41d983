"""Which sites' pages may call the widget's operations."""

from __future__ import annotations

import pytest

from apps.access import origins
from tests.api.widget_page import SITE, Page, refused
from tests.fixtures import Api


@pytest.fixture
def page(workspace) -> Page:
    return Page(workspace)


def preflight(page, origin, path=None):
    return Api().request(
        "OPTIONS",
        path or f"/api/widget/{page.chatbot_id}/me",
        Origin=origin,
        Access_Control_Request_Method="PATCH",
        Access_Control_Request_Headers="x-embed-key",
    )


def test_it_answers_the_keys_origins_and_no_others(page, workspace):
    Page(workspace, allowed_origins=["https://*.other.example"])
    response = page.identify()
    assert response["Access-Control-Allow-Origin"] == SITE
    assert "Origin" in response["Vary"]
    for origin, allowed in ((SITE, True), ("https://a.other.example", True), ("https://evil.example", False)):
        response = preflight(page, origin)
        assert response.status_code == 204
        assert response.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    response = preflight(page, SITE)
    assert {"GET", "PATCH"} <= set(response["Access-Control-Allow-Methods"].split(", "))
    assert "x-participant-token" in response["Access-Control-Allow-Headers"]
    # A page of the chatbot's other key may ask, and is refused with this key.
    page.api.headers["Origin"] = "https://a.other.example"
    assert refused(page.identify())


def test_it_answers_no_origin_on_other_paths(page, settings):
    assert "Access-Control-Allow-Origin" not in preflight(page, SITE, "/api/participants")
    settings.CORS_ALLOWED_ORIGINS = ["https://console.example"]
    response = preflight(page, "https://console.example", "/api/participants")
    assert response["Access-Control-Allow-Origin"] == "https://console.example"
    assert "Access-Control-Allow-Origin" not in preflight(page, "https://console.example")


@pytest.mark.parametrize(
    ("pattern", "origin", "allowed"),
    [
        ("https://site.example", "https://site.example", True),
        ("https://SITE.example:443/", "https://site.example", True),
        ("https://site.example", "https://site.example:443", True),
        ("http://localhost:3000", "http://localhost:3000", True),
        ("http://localhost:3000", "http://localhost", False),
        ("http://[::1]:3000", "http://[::1]:3000", True),
        ("https://*.site.example", "https://a.site.example", True),
        ("https://*.site.example", "https://a.b.site.example", True),
        ("https://*.site.example", "https://site.example", False),
        ("https://*.site.example", "https://evilsite.example", False),
        ("https://*.site.example", "http://a.site.example", False),
        ("https://*.site.example", "https://a.site.example:8443", False),
        ("https://*.site.example:8443", "https://a.site.example:8443", True),
        ("https://*.site.example", "https://*.site.example", False),
        ("https://*.site.example", "https://evil.example/.site.example", False),
        ("https://*.site.example", "https://evil.example#.site.example", False),
    ],
)
def test_origins(pattern, origin, allowed):
    assert origins.is_allowed(origin, [origins.normalise(pattern)]) is allowed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "site.example",
        "ftp://site.example",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://u@a",
        "https://*",
        "https://a.*.example",
        "https://a:99999",
        "null",
    ],
)
def test_what_is_no_origin(text):
    with pytest.raises(origins.NoOrigin):
        origins.normalise(text)
