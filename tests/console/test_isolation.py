"""Nothing of another team can be seen, named or reached."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.access.models import ApiKey
from apps.chatbots.models import Chatbot
from apps.participants.models import Participant, ParticipantData
from apps.schedules.models import ScheduledMessage
from apps.teams.models import Membership, Role
from tests.fixtures import Workspace

from .conftest import Console, fill, signed_in

LISTS = (
    "chatbots/chatbot",
    "chatbots/webhookendpoint",
    "participants/participant",
    "schedules/scheduledmessage",
    "access/apikey",
    "teams/membership",
    "teams/invitation",
)


@pytest.fixture
def theirs(console: Console) -> dict[str, int]:
    """The other team's rows, by model, with names that no page of ours may show."""
    other = console.other
    other.member(Role.VIEWER)
    pks = fill(other)
    Participant.objects.filter(team=other.team).update(identifier="theirs-person", name="theirs-name")
    Chatbot.objects.filter(pk=other.bot.pk).update(name="theirs-bot")
    ScheduledMessage.objects.filter(team=other.team).update(name="theirs-schedule")
    ApiKey.objects.filter(team=other.team).update(name="theirs-key")
    other.owner.email = "theirs@team.example"
    other.owner.save()
    other.team.name = "theirs-team"
    other.team.save()
    return pks


@pytest.fixture
def owner(console: Console):
    return signed_in(console.workspace.owner)


@pytest.mark.parametrize("address", LISTS)
def test_a_list_shows_the_team_alone(owner, theirs, address):
    for query in ("", "?q=theirs", "?q=t", "?o=1", "?all="):
        response = owner.get(f"/admin/{address}/{query}", follow=True)
        assert response.status_code == 200
        page = response.content.decode().replace(f'value="{query[3:]}"', "")
        assert "theirs-" not in page
        assert "theirs@" not in page


@pytest.mark.parametrize(
    "address",
    [
        "",
        *(f"{name}/add/" for name in LISTS if name != "teams/membership"),
        "participants/participantdata/add/",
    ],
)
def test_a_form_offers_the_team_alone(owner, theirs, address):
    page = owner.get(f"/admin/{address}").content.decode()
    assert "theirs-" not in page
    assert "theirs@" not in page


PROBES = (
    "team__name=theirs-team",
    "team__id__exact=1",
    "user__password__startswith=pbkdf2",
    "hash__startswith=a",
    "data_set__chatbot__name=theirs-bot",
    "data_set__data__contains=a",
    "participant__identifier__startswith=t",
)


@pytest.mark.parametrize("address", LISTS)
def test_a_list_can_not_be_asked_about_other_columns(owner, theirs, address):
    answers = {probe: owner.get(f"/admin/{address}/?{probe}").status_code for probe in PROBES}
    assert answers == dict.fromkeys(PROBES, 400)


def test_the_filter_by_chatbot_knows_the_team_s_alone(owner, console, theirs):
    page = owner.get(f"/admin/participants/participant/?chatbot={console.other.bot.public_id}")
    assert "theirs" not in page.content.decode()
    assert "Nothing found" in page.content.decode()


@pytest.mark.parametrize("model", ["participantdata", "scheduledmessage"])
def test_autocomplete_offers_the_team_alone(owner, theirs, model):
    app = "participants" if model == "participantdata" else "schedules"
    asked = {"app_label": app, "model_name": model, "field_name": "participant", "term": ""}
    found = owner.get("/admin/autocomplete/", asked).json()["results"]
    assert [result["text"] for result in found] == ["ada"]
    assert owner.get("/admin/autocomplete/", asked | {"term": "theirs"}).json()["results"] == []


@pytest.mark.parametrize("field", ["user", "team"])
def test_autocomplete_does_not_name_people_or_teams(owner, theirs, field):
    asked = {"app_label": "teams", "model_name": "membership", "field_name": field, "term": "theirs"}
    response = owner.get("/admin/autocomplete/", asked)
    assert response.status_code == 403 or response.json()["results"] == []


def schedule_form(participant: int, chatbot: int) -> dict[str, object]:
    moment = timezone.now() + timedelta(days=1)
    when = {"scheduled_for_0": f"{moment:%Y-%m-%d}", "scheduled_for_1": f"{moment:%H:%M:%S}"}
    return {"participant": participant, "chatbot": chatbot, "name": "n", "prompt": "p"} | when


@pytest.mark.parametrize("foreign", ["participant", "chatbot"])
def test_a_schedule_can_not_be_made_for_what_is_theirs(owner, console, theirs, foreign):
    ours = {
        "participant": console.pks["participants_participant"],
        "chatbot": console.pks["chatbots_chatbot"],
    }
    form = schedule_form(
        **ours | {foreign: theirs[f"{'participants' if foreign[0] == 'p' else 'chatbots'}_{foreign}"]}
    )
    response = owner.post("/admin/schedules/scheduledmessage/add/", form)
    assert response.status_code == 200
    assert "valid choice" in response.content.decode()
    assert ScheduledMessage.objects.count() == 2


@pytest.mark.parametrize("foreign", ["participant", "chatbot"])
def test_data_can_not_be_written_for_what_is_theirs(owner, console, theirs, foreign):
    ours = {
        "participant": console.pks["participants_participant"],
        "chatbot": console.workspace.bots[1].pk,
    }
    ours[foreign] = theirs[f"{'participants' if foreign[0] == 'p' else 'chatbots'}_{foreign}"]
    response = owner.post("/admin/participants/participantdata/add/", ours | {"text": "{}"})
    assert response.status_code == 200
    assert "valid choice" in response.content.decode()
    assert ParticipantData.objects.count() == 2


def test_a_team_that_is_sent_along_is_ignored(owner, console, theirs):
    owner.post("/admin/chatbots/chatbot/add/", {"name": "New", "team": theirs["teams_team"]})
    assert Chatbot.objects.get(name="New").team == console.workspace.team


@pytest.mark.parametrize(
    ("address", "action"),
    [
        ("chatbots/chatbot", "delete_selected"),
        ("participants/participant", "delete_selected"),
        ("schedules/scheduledmessage", "cancel_selected"),
        ("access/apikey", "revoke_selected"),
    ],
)
@pytest.mark.parametrize("across", ["0", "1"])
def test_an_action_does_not_reach_theirs(owner, theirs, address, action, across):
    form = {
        "action": action,
        "_selected_action": theirs[address.replace("/", "_")],
        "select_across": across,
        "index": 0,
        "post": "yes",
    }
    owner.post(f"/admin/{address}/", form)
    assert Chatbot.objects.count() == 4
    assert Participant.objects.count() == 2
    assert {row.status for row in ScheduledMessage.objects.all()} == {"pending"}
    assert not ApiKey.objects.exclude(revoked_at=None).exists()


def test_an_action_never_takes_all_that_a_search_finds(owner, console):
    ours = [Chatbot.objects.create(team=console.workspace.team, name=f"Bot {number}") for number in range(3)]
    form = {"action": "delete_selected", "_selected_action": ours[0].pk, "select_across": "1", "post": "yes"}
    owner.post("/admin/chatbots/chatbot/", form | {"index": 0})
    assert not Chatbot.objects.filter(pk=ours[0].pk).exists()
    assert Chatbot.objects.filter(pk__in=[bot.pk for bot in ours[1:]]).count() == 2


def test_one_can_not_switch_to_their_team(owner, theirs):
    assert owner.post("/admin/switch-team/", {"team": theirs["teams_team"]}).status_code == 404
    assert "theirs" not in owner.get("/admin/participants/participant/").content.decode()


@pytest.mark.parametrize("team", ["", "0", "-1", "x", "9" * 30, "१"])
def test_a_team_that_is_none_is_refused(owner, team):
    assert owner.post("/admin/switch-team/", {"team": team}).status_code == 404


def test_who_has_left_sees_nothing_any_more(console: Console, theirs):
    client = console.client("editor")
    assert client.get("/admin/participants/participant/").status_code == 200
    Membership.objects.filter(user=console.editor).delete()
    assert client.get("/admin/participants/participant/").status_code == 403
    assert "ada" not in client.get("/admin/").content.decode().lower()


def test_the_switcher_shows_one_team_at_a_time(console: Console, other: Workspace, theirs):
    Membership.objects.create(user=console.editor, team=other.team, role=Role.VIEWER)
    client = signed_in(console.editor)
    assert "theirs-person" not in client.get("/admin/participants/participant/").content.decode()
    assert client.get("/api/participants").json()["results"][0]["identifier"] == "ada"
    client.post("/admin/switch-team/", {"team": other.team.pk})
    page = client.get("/admin/participants/participant/").content.decode()
    assert "theirs-person" in page
    assert "Add participant" not in page, "there the person is a viewer"
    assert client.get("/api/participants").json()["results"][0]["identifier"] == "theirs-person"


def test_a_superuser_sees_all_teams_until_they_enter_one(console: Console, theirs):
    client = console.client("superuser")
    page = client.get("/admin/participants/participant/").content.decode()
    assert "theirs-person" in page
    assert "ada" in page
    client.post(f"/admin/teams/team/{console.workspace.team.pk}/enter/")
    page = client.get("/admin/participants/participant/").content.decode()
    assert "theirs-person" not in page
    assert "Add participant" in page
    client.post("/admin/switch-team/", {"team": ""})
    assert "theirs-person" in client.get("/admin/participants/participant/").content.decode()
