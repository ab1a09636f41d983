"""Hostile parameters, paths and headers, as far as a test client can send them."""

from __future__ import annotations

import pytest
from django.core.signing import Signer

from apps.participants.models import Participant
from apps.teams.models import Team
from tests.fixtures import Api, Workspace, snapshot

NO_UUID = ["Must be a valid UUID."]
EMPTY = {"next": None, "previous": None, "results": []}
MISSING = {"detail": "Authentication credentials were not provided."}
REFUSED = {"detail": "Invalid or expired credentials."}


@pytest.fixture
def ada(workspace: Workspace) -> Workspace:
    workspace.upsert("ada", workspace.entry(data={"a": 1}))
    return workspace


@pytest.mark.parametrize(
    ("query", "status", "expected"),
    [
        ("identifier=" + "x" * 10_000, 200, EMPTY),
        ("identifier=" + "%F0%9F%98%80" * 10_000, 200, EMPTY),
        ("platform=" + "x" * 10_000, 200, EMPTY),
        ("chatbot=" + "x" * 10_000, 400, {"chatbot": NO_UUID}),
        ("experiment=" + "1" * 10_000, 400, {"experiment": NO_UUID}),
        ("cursor=" + "x" * 10_000, 404, {"detail": "Invalid cursor"}),
        ("identifier=%", 200, EMPTY),
        ("identifier=%zz", 200, EMPTY),
        ("identifier=%ff", 200, EMPTY),
        ("identifier=%ED%A0%80", 200, EMPTY),
        ("identifier=%C0%80", 200, EMPTY),
        ("identifier=a%00", 400, {"identifier": ["Null characters are not allowed."]}),
        ("platform=%00", 400, {"platform": ["Null characters are not allowed."]}),
        ("chatbot=%00", 400, {"chatbot": NO_UUID}),
        ("chatbot=1", 400, {"chatbot": NO_UUID}),
        ("chatbot=true", 400, {"chatbot": NO_UUID}),
        ("chatbot=00000000-0000-0000-0000-000000000000", 200, EMPTY),
        ("chatbot=' OR 1=1 --", 400, {"chatbot": NO_UUID}),
        ("identifier=' OR 1=1 --", 200, EMPTY),
        ("identifier=ada&identifier=bob", 200, EMPTY),
        ("identifier=*", 200, EMPTY),
        ("identifier=_da", 200, EMPTY),
        ("&".join(f"p{n}=1" for n in range(1001)), 400, {"detail": "Bad request."}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_it_answers_a_hostile_parameter(ada, query, status, expected):
    response = ada.api.get(f"/api/participants?{query}")
    assert (response.status_code, response.json()) == (status, expected)


@pytest.mark.parametrize(
    "query",
    [
        "%zz",
        "&&&",
        "=",
        "%00=%00",
        "zzz=%00",
        "page_size=%00",
        "cursor=",
        "format=xml",
        "format=api",
        "identifier[]=x",
        "page_size=-1",
        "page_size=1e3",
        "page_size=0x10",
        "page_size=%20%205",
        "page_size=" + "9" * 10000,
    ],
    ids=lambda value: value[:30],
)
def test_it_ignores_what_is_no_parameter(ada, query):
    response = ada.api.get(f"/api/participants?{query}")
    assert response.status_code == 200
    assert [row["identifier"] for row in response.json()["results"]] == ["ada"]


def signed(value: str, salt: str = "api.cursor") -> str:
    return Signer(sep=".", salt=salt).sign(value)


@pytest.mark.parametrize(
    "cursor",
    [
        signed("n5", salt="django.core.signing"),
        signed("n5", salt="other"),
        signed("n5")[:-1],
        signed("n5") + "A",
        signed("n5").replace("n5", "n6"),
        signed("n5").replace("n5", "p5"),
        signed("n5").upper(),
        signed("n5").replace(".", ":"),
        signed("n5") * 2,
        " " + signed("n5"),
        "." + signed("n5"),
        signed("n5").rpartition(".")[2],
        "n5." + "A" * 43,
        "bz0xMDAwMDAwMDAwMDA%3D",  # what REST framework's own cursors look like
        "cD0yMDMwLTAxLTAx",
        "%F0%9F%98%80",
        "%0A",
        "None",
        "-1",
        "9" * 5000,
    ],
)
def test_it_refuses_a_forged_cursor(ada, cursor):
    response = ada.api.get(f"/api/participants?cursor={cursor}")
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid cursor"})


def test_a_cursor_of_another_team_shows_nothing_of_it(ada, other):
    for number in range(3):
        other.upsert(f"theirs {number}")
    cursor = other.api.get("/api/participants?page_size=1").json()["next"].partition("?")[2]
    response = ada.api.get(f"/api/participants?{cursor}")
    assert [row["identifier"] for row in response.json()["results"]] == ["ada"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/participants%00",
        "/api/participants%ff",
        "/api/participants//",
        "/api/participants.json",
        "/api/",
        "/api/participants/%2e%2e/",
        "/api/participants/1",
        "/api/v2/participants",
        "/API/participants",
        "/%00",
    ],
)
def test_it_answers_in_json_where_there_is_nothing(ada, path):
    for method in ("GET", "POST"):
        response = ada.api.request(
            method, path, {}, Accept="text/html" if path.startswith("/api/") else "*/*"
        )
        assert (response.status_code, response.content) == (404, b'{"detail":"Not found."}')


def test_no_credential_in_the_query_or_the_body_opens_anything(ada):
    key = ada.api.key
    names = (
        "key",
        "api_key",
        "X-api-key",
        "token",
        "access_token",
        "Authorization",
        "authorization",
        "sessionid",
    )
    for name in names:
        for value in (key, f"Bearer {key}"):
            response = Api().get(f"/api/participants?{name}={value}")
            assert (response.status_code, response.json()) == (401, MISSING)
            response = Api().post({"identifier": "eve", "data": [], name: value})
            assert (response.status_code, response.json()) == (401, MISSING)
    assert Participant.objects.count() == 1


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer \xe9", REFUSED),
        ("Bearer \u2603", REFUSED),
        ("Bearer \udcff", REFUSED),
        ("Bearer \x00", REFUSED),
        ("Bearer " + "x" * 100_000, REFUSED),
        ("Bearer {key} {key}", REFUSED),
        ("Bearer {key},Bearer {key}", REFUSED),
        ("Bearer Bearer {key}", REFUSED),
        ("Bearer '{key}'", REFUSED),
        ("Bearer {key}\x00", REFUSED),
        (" " * 10_000, MISSING),
        ("Bearer" + " " * 10_000, MISSING),
        ("Bearer", MISSING),
        ("Bearer{key}", MISSING),
        ("\x00", MISSING),
        ("{key}", MISSING),
        ("Basic {key}", MISSING),
        ("Basic \xff\xff", MISSING),
        ("Digest username=x", MISSING),
        ("Token {key}", MISSING),
        ("ApiKey {key}", MISSING),
    ],
    ids=lambda value: str(value)[:25],
)
def test_it_refuses_a_hostile_authorization_header(ada, header, expected):
    before = snapshot()
    sent = header.replace("{key}", ada.api.key)
    for response in (Api().get(Authorization=sent), Api().post("{not json", Authorization=sent)):
        assert (response.status_code, response.json()) == (401, expected)
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert snapshot() == before


@pytest.mark.parametrize(
    "key", ["\xe9", "\u2603", "\udcff", "\x00", "x" * 100_000, "{key} {key}", "Bearer {key}"]
)
def test_it_refuses_a_hostile_key_header(ada, key):
    response = Api(key.replace("{key}", ada.api.key)).get()
    assert (response.status_code, response.json()) == (401, REFUSED)


@pytest.mark.parametrize(
    "value",
    [
        '"abcdefgh\\000"',
        '"\\000\\000\\000\\000\\000\\000\\000\\000"',
        "\xff" * 40,
        "x" * 10_000,
        "' OR 1=1 --",
        "%00" * 9,
    ],
)
def test_it_takes_a_hostile_session_cookie_for_none(ada, value):
    for name in ("sessionid", "csrftoken", "messages"):
        response = Api().get(Cookie=f"{name}={value}")
        assert (response.status_code, response.json()) == (401, MISSING)
        assert Api().get("/admin/login/", Cookie=f"{name}={value}").status_code == 200


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Accept", "\xff"),
        ("Accept", "x/" * 10_000),
        ("Accept-Language", "\xff-" * 5000),
        ("Accept-Encoding", "br;q=x"),
        ("Prefer", "return=" * 10_000),
        ("Prefer", '\xff="'),
        ("X-Request-ID", "a\nb"),
        ("X-Request-ID", "x" * 10_000),
        ("X-Forwarded-Host", ""),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Port", "x"),
        ("Origin", "http://["),
        ("Referer", "http://["),
        ("Host", "evil:99999"),
        ("Content-Encoding", "gzip"),
        ("Content-Type", "application/json; charset=utf-16"),
        ("Content-Type", 'application/json; charset="'),
        ("Content-Type", "application/json; charset=\xff"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_it_is_not_led_astray_by_a_header(ada, header, value):
    response = ada.api.request(
        "POST", "/api/participants", {"identifier": "bob", "data": []}, **{header: value}
    )
    assert (response.status_code, response.content) == (200, b"")
    response = ada.api.get("/api/participants?page_size=1", **{header: value})
    assert response.status_code == 200
    assert response.json()["results"][0]["identifier"] == "bob"
    assert "\n" not in response["X-Request-ID"]
    assert len(response["X-Request-ID"]) <= 64


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host"])
@pytest.mark.parametrize("host", ["a b", "a/b", "a\x00b", "\xff", "a@b", "[::1", "x" * 300 + "!"])
def test_it_refuses_a_host_that_is_none(ada, name, host):
    before = snapshot()
    response = ada.api.request("POST", "/api/participants", {"identifier": "bob", "data": []}, **{name: host})
    assert (response.status_code, response.content) == (400, b'{"detail":"Bad request."}')
    assert snapshot() == before


@pytest.mark.parametrize(
    "media_type", ["", "\xff", "json", "text/json", "application/vnd.api+json", "x" * 10_000]
)
def test_it_takes_no_other_media_type(ada, media_type):
    before = snapshot()
    response = ada.api.post({"identifier": "bob", "data": []}, Content_Type=media_type)
    assert response.status_code == 415
    assert response.json() == {"detail": f'Unsupported media type "{media_type}" in request.'}
    assert snapshot() == before


@pytest.mark.parametrize("length", ["abc", "-5", "", "9" * 50, "1e3"])
def test_it_survives_a_length_that_is_none(ada, length):
    before = snapshot()
    response = ada.api.post({"identifier": "bob", "data": []}, Content_Length=length)
    assert response.status_code in (400, 413)
    assert snapshot() == before


def test_it_never_reveals_another_team_by_an_error(ada):
    """A chatbot that exists elsewhere and one that exists nowhere are refused alike."""
    assert Team.objects.count() == 1
    response = ada.api.post({"identifier": "ada", "data": [{"experiment": "0" * 32}]})
    assert response.json() == {
        "errors": [{"message": "Experiment 00000000-0000-0000-0000-000000000000 not found"}]
    }
