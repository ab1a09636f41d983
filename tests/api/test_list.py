"""GET /api/participants (the contract's GET)."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.utils import timezone

from apps.participants.models import Participant

EMPTY = {"next": None, "previous": None, "results": []}


def identifiers(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["identifier"] for row in response.json()["results"]]


def make_people(workspace, count: int, *, prefix: str = "p") -> None:
    """Straight into the table, all with one and the same time."""
    now = timezone.now()
    Participant.objects.bulk_create(
        Participant(
            team=workspace.team,
            identifier=f"{prefix}{n:05}",
            platform="api",
            created_at=now,
            updated_at=now,
        )
        for n in range(count)
    )


def test_it_shows_a_participant_as_the_contract_has_it(workspace):
    workspace.upsert("ada", workspace.entry(data={"a": 1}), name="Ada", platform="telegram")
    participant = Participant.objects.get()
    response = workspace.api.get()
    assert response["Content-Type"] == "application/json"
    assert response.content.decode() == (
        '{"next":null,"previous":null,"results":[{"id":"%s","identifier":"ada","name":"Ada",'
        '"platform":"telegram","remote_id":"","data":[{"chatbot":"Bot A","chatbot_id":"%s",'
        '"data":{"a":1}}]}]}' % (participant.public_id, workspace.bot.public_id)
    )


def test_it_is_empty_where_there_is_nobody(workspace, other):
    other.upsert("theirs")
    assert workspace.api.get().json() == EMPTY


def test_it_shows_the_newest_first_and_only_this_team(workspace, other):
    for name in ("a", "b", "c"):
        workspace.upsert(name)
        other.upsert(f"their-{name}")
    assert identifiers(workspace.api.get()) == ["c", "b", "a"]


def test_it_lists_data_in_the_order_of_first_writing(workspace):
    first, second = ({"experiment": str(bot.public_id), "data": {"n": 1}} for bot in workspace.bots)
    workspace.upsert("ada", second)
    workspace.upsert("ada", first)
    workspace.upsert("ada", second | {"data": {"n": 2}})
    workspace.upsert("bob", second, first)
    data = {row["identifier"]: row["data"] for row in workspace.api.get().json()["results"]}
    assert [entry["chatbot"] for entry in data["ada"]] == ["Bot B", "Bot A"]
    assert [entry["chatbot"] for entry in data["bob"]] == ["Bot B", "Bot A"]


@pytest.mark.parametrize(
    ("page_size", "shown"),
    [
        (None, 100),
        ("", 100),
        ("0", 100),
        ("-5", 100),
        ("ten", 100),
        ("1_0", 100),
        ("\u0661", 100),
        ("007", 7),
        ("1.5", 100),
        ("\x00", 100),
        ("9" * 5000, 1500),
        ("1", 1),
        ("100", 100),
        ("1500", 1500),
        ("1501", 1500),
        ("99999999999999999999", 1500),
    ],
)
def test_it_takes_a_page_size(workspace, page_size, shown):
    make_people(workspace, 1501)
    path = "/api/participants" + (f"?page_size={quote(page_size)}" if page_size is not None else "")
    assert len(identifiers(workspace.api.get(path))) == shown


def walk(workspace, path: str, link: str = "next") -> list[list[str]]:
    pages = []
    while path:
        response = workspace.api.get(path)
        pages.append(identifiers(response))
        url = response.json()[link]
        path = url and url.removeprefix("http://testserver")
        assert len(pages) < 100
    return pages


@pytest.mark.parametrize("base", ["/api/participants", "/api/participants/", "/api/v1/participants/"])
def test_it_walks_everybody_once_though_all_were_made_in_one_instant(workspace, base):
    make_people(workspace, 25)
    seen = []
    path = f"{base}?page_size=4&platform=api"
    while path:
        response = workspace.api.get(path)
        seen += identifiers(response)
        if next_url := response.json()["next"]:
            parts = urlsplit(next_url)
            assert (parts.scheme, parts.netloc, parts.path) == ("http", "testserver", base)
            query = parse_qs(parts.query)
            assert (query["page_size"], query["platform"]) == (["4"], ["api"])
            workspace.upsert(f"late-{len(seen)}")
        path = next_url and next_url.removeprefix("http://testserver")
    assert seen == [f"p{n:05}" for n in reversed(range(25))]


def test_it_walks_back(workspace):
    make_people(workspace, 10)
    forward = walk(workspace, "/api/participants?page_size=4")
    assert [len(page) for page in forward] == [4, 4, 2]
    response = workspace.api.get("/api/participants?page_size=4")
    while response.json()["next"]:
        last = response.json()["next"].removeprefix("http://testserver")
        response = workspace.api.get(last)
    assert walk(workspace, last, "previous") == forward[::-1]
    assert workspace.api.get("/api/participants?page_size=4").json()["previous"] is None


def test_it_loses_nobody_when_the_page_before_was_deleted(workspace):
    make_people(workspace, 4)
    second = workspace.api.get("/api/participants?page_size=2").json()["next"]
    back = workspace.api.get(second.removeprefix("http://testserver")).json()["previous"]
    Participant.objects.filter(identifier__in=["p00003", "p00002"]).delete()
    empty = workspace.api.get(back.removeprefix("http://testserver")).json()
    assert empty["results"] == []
    assert identifiers(workspace.api.get(empty["next"].removeprefix("http://testserver"))) == [
        "p00001",
        "p00000",
    ]


def test_it_loses_nobody_when_the_page_after_was_deleted(workspace):
    make_people(workspace, 4)
    following = workspace.api.get("/api/participants?page_size=2").json()["next"]
    Participant.objects.filter(identifier__in=["p00000", "p00001"]).delete()
    empty = workspace.api.get(following.removeprefix("http://testserver")).json()
    assert empty["results"] == []
    assert identifiers(workspace.api.get(empty["previous"].removeprefix("http://testserver"))) == [
        "p00003",
        "p00002",
    ]


def test_it_carries_the_outside_scheme_and_host_behind_a_proxy(workspace):
    make_people(workspace, 2)
    response = workspace.api.get(
        "/api/participants?page_size=1",
        X_Forwarded_Proto="https",
        X_Forwarded_Host="bots.example.org:8443",
    )
    assert response.json()["next"].startswith("https://bots.example.org:8443/api/participants?cursor=")


def test_it_does_not_believe_forwarded_headers_from_a_stranger(workspace):
    make_people(workspace, 2)
    client = workspace.api.client
    client.defaults["REMOTE_ADDR"] = "203.0.113.9"
    response = workspace.api.get("/api/participants?page_size=1", X_Forwarded_Host="evil.example")
    assert response.json()["next"].startswith("http://testserver/api/participants?cursor=")


@pytest.mark.parametrize(
    "cursor",
    ["x", "cD0x", "n1", "n5.AAAA", "cj0xJnA9NDg3", "%00", "%ED%A0%80", "n%27--.x", "A" * 10_000, "."],
)
def test_it_refuses_a_cursor_that_was_not_issued_here(workspace, cursor):
    response = workspace.api.get(f"/api/participants?cursor={cursor}")
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid cursor"})


def test_it_takes_an_empty_cursor_as_the_first_page(workspace):
    workspace.upsert("ada")
    assert identifiers(workspace.api.get("/api/participants?cursor=")) == ["ada"]


@pytest.fixture
def people(workspace, other):
    one, two = ({"experiment": str(bot.public_id), "data": {"of": bot.name}} for bot in workspace.bots)
    workspace.upsert("ada", one, two, platform="telegram")
    workspace.upsert("Ada", two, platform="telegram")
    workspace.upsert("ada", platform="web")
    workspace.upsert("bob", one, platform="api")
    workspace.upsert("CASE", platform="commcare_connect")
    other.upsert("ada", {"experiment": str(other.bot.public_id), "data": {"of": "them"}})
    return workspace


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("identifier=ada", ["ada web", "ada telegram"]),
        ("identifier=%20ada%20", ["ada web", "ada telegram"]),
        ("identifier=Ada", ["Ada telegram"]),
        ("identifier=ad", []),
        ("identifier=nobody", []),
        ("identifier=", []),
        ("identifier=" + "x" * 10_000, []),
        ("identifier=%ED%A0%80", []),
        ("identifier=case", ["case commcare_connect"]),
        ("identifier=CASE", ["case commcare_connect"]),
        ("platform=telegram", ["Ada telegram", "ada telegram"]),
        ("platform=unknown", []),
        ("platform=Telegram", []),
        ("platform=", []),
        ("platform=web&identifier=ada", ["ada web"]),
        ("platform=api&identifier=ada", []),
        ("nonsense=1&platform=api", ["bob api"]),
    ],
)
def test_it_filters(people, query, expected):
    rows = people.api.get(f"/api/participants?{query}").json()["results"]
    assert [f"{row['identifier']} {row['platform']}" for row in rows] == expected


@pytest.mark.parametrize("name", ["chatbot", "experiment"])
@pytest.mark.parametrize("form", [str, lambda u: u.hex, lambda u: str(u).upper(), lambda u: f"urn:uuid:{u}"])
def test_it_keeps_those_who_have_data_for_a_chatbot_and_only_that_entry(people, name, form):
    rows = people.api.get(f"/api/participants?{name}={form(people.bot.public_id)}").json()["results"]
    assert [row["identifier"] for row in rows] == ["bob", "ada"]
    assert [[entry["data"] for entry in row["data"]] for row in rows] == [[{"of": "Bot A"}]] * 2


def test_it_prefers_chatbot_to_its_old_name(people):
    one, two = people.bots
    path = f"/api/participants?experiment={two.public_id}&chatbot={one.public_id}"
    assert identifiers(people.api.get(path)) == ["bob", "ada"]
    path = f"/api/participants?experiment=nonsense&chatbot={one.public_id}"
    assert identifiers(people.api.get(path)) == ["bob", "ada"]


def test_it_finds_nobody_for_a_chatbot_of_another_team(people, other):
    for chatbot in (other.bot.public_id, "00000000-0000-0000-0000-000000000000"):
        assert people.api.get(f"/api/participants?chatbot={chatbot}").json() == EMPTY


@pytest.mark.parametrize("name", ["chatbot", "experiment"])
@pytest.mark.parametrize("value", ["", "x", "7f3a", "%00", "7f3a2b52-2f2a-4f0b-9c40-9d7d0f6d2a1g"])
def test_it_refuses_what_is_no_uuid_under_the_name_that_was_used(workspace, name, value):
    response = workspace.api.get(f"/api/participants?{name}={value}")
    assert (response.status_code, response.json()) == (400, {name: ["Must be a valid UUID."]})


@pytest.mark.parametrize("name", ["identifier", "platform"])
def test_it_refuses_nul(workspace, name):
    response = workspace.api.get(f"/api/participants?{name}=a%00b")
    assert response.status_code == 400
    assert response.json() == {name: ["Null characters are not allowed."]}


def test_it_answers_head_and_options_and_names_the_methods_for_others(workspace):
    workspace.upsert("ada")
    head = workspace.api.request("HEAD", "/api/participants")
    assert (head.status_code, head.content) == (200, b"")
    options = workspace.api.request("OPTIONS", "/api/participants")
    assert options.status_code == 200
    for method in ("PUT", "PATCH", "DELETE"):
        response = workspace.api.request(method, "/api/participants", {})
        assert response.status_code == 405
        assert response.json() == {"detail": f'Method "{method}" not allowed.'}
        assert {part.strip() for part in response["Allow"].split(",")} == {"GET", "POST", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "", "*/*", "nonsense"])
def test_it_answers_in_json_whatever_is_accepted(workspace, accept):
    response = workspace.api.get(Accept=accept)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    response = workspace.api.get("/api/nowhere", Accept=accept)
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})
