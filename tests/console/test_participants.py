"""Participants and what chatbots keep of them, as members see and change it."""

from __future__ import annotations

import html

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.participants.models import Participant, ParticipantData
from apps.schedules.models import ScheduledMessage, Status

from .conftest import Console, signed_in

PEOPLE = "/admin/participants/participant/"
DATA = "/admin/participants/participantdata/"
NO_ATTEMPTS = {"attempt_set-TOTAL_FORMS": 0, "attempt_set-INITIAL_FORMS": 0}
NO_INLINES = {"schedules-TOTAL_FORMS": 0, "schedules-INITIAL_FORMS": 0}


@pytest.fixture
def editor(console: Console):
    return signed_in(console.editor)


def page_of(client, console: Console) -> str:
    response = client.get(f"{PEOPLE}{console.pks['participants_participant']}/change/")
    return html.unescape(response.content.decode())


def data_page(console: Console) -> str:
    return f"{DATA}{console.pks['participants_participantdata']}/change/"


def test_data_is_shown_indented_and_as_it_was_sent(console: Console):
    workspace = console.workspace
    workspace.upsert("ada", workspace.entry(data={"n": 12345678901234567890123, "list": [1.0, "é"]}))
    page = page_of(console.client("viewer"), console)
    assert '{\n  "n": 12345678901234567890123,\n  "list": [\n    1.0,\n    "é"\n  ]\n}' in page
    assert "Edit" not in page


def test_what_people_call_themselves_is_text(console: Console, editor):
    workspace = console.workspace
    evil = "<script>alert(1)</script>"
    workspace.upsert(evil, workspace.entry(data={evil: evil}), name=evil)
    pk = Participant.objects.get(identifier=evil).pk
    for path in ("/admin/", PEOPLE, f"{PEOPLE}{pk}/change/", f"{PEOPLE}{pk}/delete/"):
        assert evil not in editor.get(path).content.decode()


def test_data_without_its_key_is_said_to_be_so_and_not_written_over(console: Console, editor):
    ParticipantData.objects.update(data=b"\x01" + b"0" * 60)
    assert "can't be decrypted" in page_of(editor, console)
    assert "can't be decrypted" in html.unescape(editor.get(data_page(console)).content.decode())
    assert editor.post(data_page(console), {"text": "{}", "version": 1}).status_code == 403


def test_an_editor_replaces_data(console: Console, editor):
    text = '{"visits": 2.50, "big": 12345678901234567890123, "nul": "\\u0000"}'
    response = editor.post(data_page(console), {"text": text, "version": 1})
    assert response["Location"] == f"{PEOPLE}{console.pks['participants_participant']}/change/"
    assert console.workspace.stored()["ada"] == {
        "Bot A": '{"visits":2.50,"big":12345678901234567890123,"nul":"\\u0000"}'
    }
    assert ParticipantData.objects.get().version == 2


def test_data_that_changed_meanwhile_is_not_lost(console: Console, editor):
    console.workspace.upsert("ada", console.workspace.entry(data={"visits": 9}))
    response = editor.post(data_page(console), {"text": "{}", "version": 1}, follow=True)
    assert "changed by someone else" in response.content.decode()
    assert console.workspace.stored()["ada"] == {"Bot A": '{"visits":9}'}


@pytest.mark.parametrize("version", ["", "x", "-1", "99"])
def test_data_is_not_replaced_without_its_version(console: Console, editor, version):
    editor.post(data_page(console), {"text": "{}", "version": version})
    assert console.workspace.stored()["ada"] == {"Bot A": '{"visits":1.5}'}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "required"),
        ("[]", "Expected a dictionary"),
        ("{", "not JSON"),
        ('{"a": NaN}', "not JSON"),
        ('{"a": 1e400}', "not JSON"),
        ('{"a":' * 300 + "1" + "}" * 300, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": "\\ud800"}', "surrogate"),
    ],
    ids=["empty", "list", "malformed", "nan", "infinite", "deep", "very deep", "surrogate"],
)
def test_what_is_no_object_is_refused(console: Console, editor, text, said):
    response = editor.post(data_page(console), {"text": text, "version": 1})
    assert response.status_code == 200
    assert said in html.unescape(response.content.decode())
    assert console.workspace.stored()["ada"] == {"Bot A": '{"visits":1.5}'}


def test_an_editor_adds_data_for_another_chatbot(console: Console, editor):
    form = {"participant": console.pks["participants_participant"], "chatbot": console.workspace.bots[1].pk}
    assert editor.post(f"{DATA}add/", form | {"text": '{"a": 1}'}).status_code == 302
    assert console.workspace.stored()["ada"]["Bot B"] == '{"a":1}'
    assert editor.post(f"{DATA}add/", form | {"text": "{}"}).status_code == 200, "there is one already"
    assert console.workspace.stored()["ada"]["Bot B"] == '{"a":1}'


def test_an_editor_adds_a_participant_under_the_spelling_of_the_platform(console: Console, editor):
    form = {"platform": "commcare_connect", "identifier": "ABC", "name": "New"}
    assert editor.post(f"{PEOPLE}add/", form).status_code == 302
    assert Participant.objects.get(name="New").identifier == "abc"
    response = editor.post(f"{PEOPLE}add/", form | {"identifier": "aBc", "name": "Newer"})
    assert "already exists" in response.content.decode()
    assert Participant.objects.get(identifier="abc").name == "New"


def test_an_editor_renames_a_participant(console: Console, editor):
    pk = console.pks["participants_participant"]
    form = {"name": "Lovelace", "identifier": "x", "platform": "web"}
    assert editor.post(f"{PEOPLE}{pk}/change/", form | NO_INLINES).status_code == 302
    saved = Participant.objects.get(pk=pk)
    assert (saved.name, saved.identifier, saved.platform) == ("Lovelace", "ada", "api")


def test_a_deleted_participant_takes_their_data_and_schedules_along(console: Console, editor):
    pk = console.pks["participants_participant"]
    assert "their schedules" in editor.get(f"{PEOPLE}{pk}/delete/").content.decode()
    editor.post(f"{PEOPLE}{pk}/delete/", {"post": "yes"})
    for model in (Participant, ParticipantData, ScheduledMessage):
        assert not model.objects.exists()


def test_a_schedule_is_cancelled_and_pending_again_when_saved(console: Console, editor):
    page = f"/admin/schedules/scheduledmessage/{console.pks['schedules_scheduledmessage']}"
    assert editor.get(f"{page}/cancel/").status_code == 200
    assert ScheduledMessage.objects.get().status == Status.PENDING, "asking changes nothing"
    editor.post(f"{page}/cancel/")
    assert ScheduledMessage.objects.get().status == Status.CANCELLED
    when = {"scheduled_for_0": "2031-02-03", "scheduled_for_1": "04:05:00"}
    editor.post(f"{page}/change/", {"name": "Later", "prompt": "p"} | when | NO_ATTEMPTS)
    saved = ScheduledMessage.objects.get()
    assert (saved.name, saved.status, saved.external_id) == ("Later", Status.PENDING, "one")
    assert saved.due_at.isoformat() == "2031-02-03T04:05:00+00:00"


@pytest.mark.parametrize("term", ["ad", "Ad", "ada", "ADA", " ada "])
def test_search_finds_by_the_beginning(console: Console, editor, term):
    assert "1 found" in editor.get(PEOPLE, {"q": term}).content.decode()
    assert "Nothing found" in editor.get(PEOPLE, {"q": term.strip()[1:]}).content.decode()


def test_search_finds_by_the_id_of_the_api(console: Console, editor):
    public_id = Participant.objects.get().public_id
    assert "1 found" in editor.get(PEOPLE, {"q": str(public_id)}).content.decode()


@pytest.mark.parametrize("query", ["platform__exact=api", "chatbot={bot}"])
def test_filters_find(console: Console, editor, query):
    page = editor.get(f"{PEOPLE}?{query.format(bot=console.workspace.bot.public_id)}").content.decode()
    assert "1 found" in page


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        (PEOPLE, "participants"),
        ("/admin/schedules/scheduledmessage/", "schedules"),
        (f"{PEOPLE}?q=a", "found"),
        ("/admin/", ""),
        ("person", ""),
    ],
)
def test_a_page_asks_the_database_as_often_for_ten_rows_as_for_one(console: Console, editor, path, rows):
    if path == "person":
        path = f"{PEOPLE}{console.pks['participants_participant']}/change/"
    workspace = console.workspace

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            page = editor.get(path).content.decode()
        assert rows in page
        assert not any(
            "COUNT(*)" in query["sql"] and "LIMIT" not in query["sql"] for query in asked if path == PEOPLE
        )
        return len(asked)

    editor.get(path)
    for_one = queries()
    for number in range(9):
        schedule = {"id": f"s{number}", "name": "a", "prompt": "p", "date": "2031-01-01T00:00:00Z"}
        entries = [{"experiment": str(bot.public_id), "data": {"n": 1}} for bot in workspace.bots]
        workspace.upsert(f"a{number}", *entries)
        workspace.upsert("ada", workspace.entry(schedules=[schedule]))
    assert queries() == for_one
    assert for_one <= 10


def test_a_long_list_is_counted_to_its_cap_alone(console: Console, editor, monkeypatch):
    from apps.console.paginator import CappedPaginator

    monkeypatch.setattr(CappedPaginator, "CAP", 2)
    for number in range(3):
        console.workspace.upsert(f"b{number}")
    assert "The newest 2: search or filter" in editor.get(PEOPLE).content.decode()
