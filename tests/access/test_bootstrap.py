"""`manage.py bootstrap` and `create_api_key`: what they make, and what they print."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from apps.access.models import ApiKey
from apps.chatbots import signing
from apps.chatbots.models import Chatbot, WebhookEndpoint
from apps.teams.models import Membership, Role, Team, User
from tests.fixtures import Api


def run(capsys, *arguments: str) -> dict:
    call_command("bootstrap", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


ARGUMENTS = ("--team", "Clinic", "--chatbot", "Reminders", "--chatbot", "Buddy")


def test_it_makes_a_team_that_is_ready_to_work(db, capsys, client):
    made = run(capsys, *ARGUMENTS)
    assert set(made) >= {
        "team",
        "user",
        "api_key",
        "read_only_api_key",
        "chatbots",
        "oauth_machine",
        "embed_key",
    }
    assert made["team"] == "Clinic"
    assert [bot["name"] for bot in made["chatbots"]] == ["Reminders", "Buddy"]
    body = {"identifier": "ada", "data": [{"experiment": made["chatbots"][0]["id"], "data": {"a": 1}}]}
    assert Api(made["api_key"]).post(body).status_code == 200
    assert Api(made["read_only_api_key"]).post(body).status_code == 403
    assert Api(made["read_only_api_key"]).get().json()["results"][0]["identifier"] == "ada"
    membership = Membership.objects.get()
    assert (membership.team.name, membership.user.email, membership.role) == (
        "Clinic",
        made["user"]["email"],
        Role.OWNER,
    )
    assert membership.user.check_password(made["user"]["password"])
    assert not membership.user.is_superuser


def test_its_machine_and_its_embed_key_work(db, capsys, client):
    made = run(capsys, *ARGUMENTS)
    scope = "participants:read participants:write"
    fields = made["oauth_machine"] | {"grant_type": "client_credentials", "scope": scope}
    token = client.post("/o/token/", fields).json()["access_token"]
    bearer = Api(headers={"Authorization": f"Bearer {token}"})
    assert bearer.post({"identifier": "ada", "data": []}).status_code == 200
    embed = made["embed_key"]
    assert embed["allowed_origins"] == ["https://site.example"]
    assert embed["chatbot_id"] == made["chatbots"][0]["id"]
    page = Api(headers={"X-Embed-Key": embed["key"], "Origin": "https://site.example"})
    assert page.post({}, f"/api/widget/{embed['chatbot_id']}/identify").status_code == 200


def test_it_makes_only_what_is_missing_and_issues_new_keys(db, capsys):
    first = run(capsys, *ARGUMENTS)
    second = run(capsys, *ARGUMENTS, "--chatbot", "Third", "--allowed-origin", "https://a.example:444/")
    assert second["user"] == {"email": first["user"]["email"], "password": None}
    assert second["chatbots"][:2] == first["chatbots"]
    assert (Team.objects.count(), User.objects.count(), Chatbot.objects.count()) == (1, 1, 3)
    assert second["embed_key"]["allowed_origins"] == ["https://a.example:444"]
    for key in (first["api_key"], second["api_key"]):
        assert Api(key).get().status_code == 200
    assert first["api_key"] != second["api_key"]


def test_teams_do_not_share_an_owner_by_accident(db, capsys):
    emails = {run(capsys, "--team", name)["user"]["email"] for name in ("Team A", "team-a", "Проект", "!!")}
    assert len(emails) == 4


def test_it_takes_an_owner_and_works_without_chatbots(db, capsys):
    made = run(capsys, "--team", "X", "--email", "Me@X.example")
    assert made["user"]["email"] == "me@x.example"
    assert (made["chatbots"], made["embed_key"]) == ([], None)


def test_it_refuses_what_is_no_origin_and_makes_nothing(db):
    with pytest.raises(CommandError, match="is not an origin"):
        call_command("bootstrap", *ARGUMENTS, "--allowed-origin", "site")
    assert not Team.objects.exists()


def create(capsys, workspace, *options: str):
    call_command("create_api_key", "--team", workspace.team.name, "--user", workspace.owner.email, *options)
    out = capsys.readouterr()
    return out.out.strip(), out.err


def test_it_makes_a_key_and_says_what_it_made(workspace, capsys):
    key, said = create(capsys, workspace, "--read-only", "--expires", "90d")
    assert Api(key).get().status_code == 200
    assert Api(key).post({"identifier": "a", "data": []}).status_code == 403
    assert workspace.owner.email in said
    assert "read only" in said
    row = ApiKey.objects.latest("pk")
    assert f"{row.expires_at:%Y-%m-%d}" in said


@pytest.mark.parametrize("expires", ["2000-01-01", "soon", "2030-13-01"])
def test_it_refuses_an_expiry_that_makes_no_sense(workspace, capsys, expires):
    with pytest.raises(CommandError, match="--expires"):
        create(capsys, workspace, "--expires", expires)


def test_it_makes_no_key_for_a_stranger(workspace, other):
    for options in (
        ("--team", workspace.team.name, "--user", other.owner.email),
        ("--team", "Nowhere", "--user", other.owner.email),
        ("--team", workspace.team.name, "--user", "nobody@x.example"),
    ):
        with pytest.raises(CommandError):
            call_command("create_api_key", *options)
    assert ApiKey.objects.count() == 2


def test_it_sets_where_its_chatbots_are_prompted(db, capsys):
    arguments = (*ARGUMENTS, "--webhook-url", "https://bot.example/hook")
    made = run(capsys, *arguments)
    first = [bot["webhook_secret"] for bot in made["chatbots"]]
    assert all(secret.startswith("whsec_") for secret in first)
    assert len(set(first)) == 2
    assert {row.url for row in WebhookEndpoint.objects.all()} == {"https://bot.example/hook"}
    again = run(capsys, *arguments)
    endpoint = WebhookEndpoint.objects.get(chatbot__name="Reminders")
    secrets = [
        signing.unseal(bytes(sealed), chatbot_id=endpoint.chatbot_id) for sealed in secrets_of(endpoint)
    ]
    assert secrets == [again["chatbots"][0]["webhook_secret"], first[0]]
    assert "webhook_secret" not in run(capsys, *ARGUMENTS)["chatbots"][0]


def secrets_of(endpoint: WebhookEndpoint) -> list[bytes]:
    assert endpoint.previous_secret is not None
    return [endpoint.secret, endpoint.previous_secret]


def test_it_refuses_what_is_no_webhook_and_makes_nothing(db):
    with pytest.raises(CommandError, match="such as https://bot"):
        call_command("bootstrap", *ARGUMENTS, "--webhook-url", "bot")
    assert not Team.objects.exists()
