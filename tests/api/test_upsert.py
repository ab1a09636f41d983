"""POST /api/participants (the contract's POST)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from apps.chatbots import queries as chatbots
from apps.participants.models import Participant, ParticipantData
from apps.participants.platforms import Platform
from apps.schedules.models import ScheduledMessage, Status
from tests.fixtures import snapshot

DATE = "2030-05-01T08:00:00Z"
MOMENT = datetime(2030, 5, 1, 8, tzinfo=UTC)


def schedule(**fields):
    return {"name": "Visit", "prompt": "Remind them", "date": DATE} | fields


def refused(workspace, body, status, expected, **headers) -> None:
    """The request is refused with exactly this body, and has written nothing at all."""
    before = snapshot()
    response = workspace.api.post(body, **headers)
    assert (response.status_code, response.json()) == (status, expected)
    assert snapshot() == before


# Who


def test_it_creates_a_participant(workspace):
    response = workspace.api.post({"identifier": "ada", "data": []})
    assert (response.status_code, response.content) == (200, b"")
    row = Participant.objects.get()
    assert (row.team, row.identifier, row.name, row.platform, row.remote_id) == (
        workspace.team,
        "ada",
        "",
        "api",
        "",
    )


@pytest.mark.parametrize("path", ["/api/participants", "/api/participants/", "/api/v1/participants"])
def test_it_answers_on_every_path(workspace, path):
    assert workspace.api.post({"identifier": "ada", "data": []}, path).status_code == 200
    assert Participant.objects.count() == 1


def test_it_renames_if_a_name_is_given_and_keeps_it_if_not(workspace):
    workspace.upsert("ada", name="Ada")
    first = Participant.objects.get()
    workspace.upsert("ada")
    assert Participant.objects.get().name == "Ada"
    workspace.upsert("ada", name="Ada L.")
    row = Participant.objects.get()
    assert (row.pk, row.public_id, row.name) == (first.pk, first.public_id, "Ada L.")


@pytest.mark.parametrize("platform", Platform.values)
def test_it_takes_every_platform(workspace, platform):
    workspace.upsert("ada", platform=platform)
    assert Participant.objects.get().platform == platform


def test_it_tells_people_apart_by_team_platform_and_case(workspace, other):
    for identifier, platform in [("ada", "api"), ("ada", "web"), ("Ada", "api"), ("ada", "api")]:
        workspace.upsert(identifier, platform=platform)
    other.upsert("ada")
    assert Participant.objects.count() == 4


def test_it_lowers_case_on_commcare_connect(workspace):
    for identifier in ("ABC", "abc", "Abc"):
        workspace.upsert(identifier, platform="commcare_connect")
    assert Participant.objects.get().identifier == "abc"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [(" ada\t\n", "ada"), (12345, "12345"), (1.5, "1.5"), ("x" * 320, "x" * 320), ("é😀", "é😀")],
)
def test_it_takes_an_identifier(workspace, sent, stored):
    workspace.upsert(sent)
    assert Participant.objects.get().identifier == stored


BLANK = ["This field may not be blank."]
NULL = ["This field may not be null."]
REQUIRED = ["This field is required."]
TOO_LONG = ["Ensure this field has no more than 320 characters."]
NUL = ["Null characters are not allowed."]
NO_STRING = ["Not a valid string."]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"identifier": None}, {"identifier": NULL}),
        ({"identifier": ""}, {"identifier": BLANK}),
        ({"identifier": "  "}, {"identifier": BLANK}),
        ({"identifier": "x" * 321}, {"identifier": TOO_LONG}),
        ({"identifier": "a\x00b"}, {"identifier": NUL}),
        ({"identifier": True}, {"identifier": NO_STRING}),
        ({"identifier": ["a"]}, {"identifier": NO_STRING}),
        ({"identifier": {}}, {"identifier": NO_STRING}),
        ({"identifier": "İ" * 320, "platform": "commcare_connect"}, {"identifier": TOO_LONG}),
        ({"name": None}, {"name": NULL}),
        ({"name": ""}, {"name": BLANK}),
        ({"name": "x" * 321}, {"name": TOO_LONG}),
        ({"name": "a\x00b"}, {"name": NUL}),
        ({"platform": None}, {"platform": NULL}),
        ({"platform": "fax"}, {"platform": ['"fax" is not a valid choice.']}),
        ({"platform": ""}, {"platform": ['"" is not a valid choice.']}),
        ({"platform": ["api"]}, {"platform": ["\"['api']\" is not a valid choice."]}),
        ({"data": None}, {"data": NULL}),
        ({"data": {}}, {"data": {"non_field_errors": ['Expected a list of items but got type "dict".']}}),
        ({"data": "x"}, {"data": {"non_field_errors": ['Expected a list of items but got type "str".']}}),
    ],
    ids=repr,
)
def test_it_refuses_a_bad_field(workspace, change, expected):
    refused(workspace, {"identifier": "ada", "data": []} | change, 400, expected)


def test_it_asks_for_what_is_missing(workspace):
    refused(workspace, {}, 400, {"identifier": REQUIRED, "data": REQUIRED})
    refused(workspace, {"identifier": "ada"}, 400, {"data": REQUIRED})
    refused(
        workspace,
        [],
        400,
        {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]},
    )


def test_it_ignores_unknown_fields(workspace):
    body = {
        "identifier": "ada",
        "extra": [1],
        "remote_id": "r",
        "data": [workspace.entry(more=1, data={"a": 1})],
    }
    assert workspace.api.post(body).status_code == 200
    assert workspace.stored() == {"ada": {"Bot A": '{"a":1}'}}
    assert Participant.objects.get().remote_id == ""


# Data


def test_it_replaces_data_and_leaves_it_when_omitted_or_empty(workspace):
    workspace.upsert("ada", workspace.entry(data={"a": 1, "b": 2}))
    workspace.upsert("ada", workspace.entry())
    workspace.upsert("ada", workspace.entry(data={}))
    assert workspace.stored() == {"ada": {"Bot A": '{"a":1,"b":2}'}}
    workspace.upsert("ada", workspace.entry(data={"c": 3}))
    assert workspace.stored() == {"ada": {"Bot A": '{"c":3}'}}
    assert ParticipantData.objects.get().version == 2


def test_it_starts_a_new_entry_as_an_empty_object(workspace):
    workspace.upsert("ada", workspace.entry())
    assert workspace.stored() == {"ada": {"Bot A": "{}"}}
    assert ParticipantData.objects.get().version == 0


def test_it_keeps_each_chatbots_data_apart(workspace):
    a, b = (str(bot.public_id) for bot in workspace.bots)
    workspace.upsert("ada", {"experiment": a, "data": {"n": 1}}, {"experiment": b, "data": {"n": 2}})
    workspace.upsert("ada", {"experiment": b, "data": {"n": 3}})
    assert workspace.stored() == {"ada": {"Bot A": '{"n":1}', "Bot B": '{"n":3}'}}


@pytest.mark.parametrize(
    ("entries", "kept"),
    [
        ([{"a": 1}, {"b": 2}], '{"b":2}'),
        ([{"a": 1}, {}], '{"a":1}'),
        ([{"a": 1}, None], '{"a":1}'),
        ([None, {"a": 1}], '{"a":1}'),
        ([{}, None], "{}"),
    ],
)
def test_it_applies_entries_in_order(workspace, entries, kept):
    workspace.upsert(
        "ada", *(workspace.entry(**({"data": data} if data is not None else {})) for data in entries)
    )
    assert workspace.stored() == {"ada": {"Bot A": kept}}


@pytest.mark.parametrize(
    "form",
    [
        str,
        lambda u: u.hex,
        lambda u: str(u).upper(),
        lambda u: f"{{{u}}}",
        lambda u: f"urn:uuid:{u}",
        lambda u: u.int,
    ],
)
def test_it_takes_any_form_of_a_uuid(workspace, form):
    workspace.upsert("ada", {"experiment": form(workspace.bot.public_id), "data": {"a": 1}})
    assert workspace.stored() == {"ada": {"Bot A": '{"a":1}'}}


SENT = [
    '{"n":123456789012345678901234567890}',
    '{"n":1.0}',
    '{"n":1.10}',
    '{"n":1E5}',
    '{"n":-0}',
    '{"n":-0.0}',
    '{"n":9223372036854775807}',
    '{"n":18446744073709551616}',
    '{"n":0.1}',
    '{"n":1e-400}',
    '{"s":"\\u0000"}',
    '{"\\u0000":1}',
    '{"s":"é 😀 \u2028 \u007f"}',
    '{"s":"\\"\\\\\\n\\t"}',
    '{"z":1,"a":[true,false,null,[],{}]}',
    '{"":""}',
]


@pytest.mark.parametrize("text", SENT)
def test_it_gives_back_what_was_sent(workspace, text):
    body = '{"identifier":"ada","data":[{"experiment":"%s","data":%s}]}' % (workspace.bot.public_id, text)
    assert workspace.api.post(body).status_code == 200
    assert workspace.stored() == {"ada": {"Bot A": text}}
    assert f'"data":{text}}}'.encode() in workspace.api.get().content


def test_it_keeps_data_unreadable_in_the_database(workspace):
    workspace.upsert("ada", workspace.entry(data={"secret": "of ada"}))
    assert b"of ada" not in bytes(ParticipantData.objects.get().data)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"data": None}, {"data": NULL}),
        ({"data": []}, {"data": ['Expected a dictionary of items but got type "list".']}),
        ({"data": "x"}, {"data": ['Expected a dictionary of items but got type "str".']}),
        ({"data": 1.0}, {"data": ['Expected a dictionary of items but got type "float".']}),
        ({"experiment": None}, {"experiment": NULL}),
        ({"experiment": "x"}, {"experiment": ["Must be a valid UUID."]}),
        ({"experiment": -1}, {"experiment": ["Must be a valid UUID."]}),
        ({"experiment": []}, {"experiment": ["Must be a valid UUID."]}),
        ({"schedules": None}, {"schedules": NULL}),
        (
            {"schedules": {}},
            {"schedules": {"non_field_errors": ['Expected a list of items but got type "dict".']}},
        ),
    ],
    ids=repr,
)
def test_it_refuses_a_wrong_shape_at_its_entry(workspace, entry, expected):
    good = workspace.entry(data={"a": 1})
    body = {"identifier": "ada", "data": [good, good | entry, good]}
    refused(workspace, body, 400, {"data": [{}, expected, {}]})


def test_it_refuses_an_entry_that_is_no_object_or_names_no_chatbot(workspace):
    good = workspace.entry()
    message = ["Invalid data. Expected a dictionary, but got int."]
    refused(
        workspace,
        {"identifier": "ada", "data": [good, 5]},
        400,
        {"data": [{}, {"non_field_errors": message}]},
    )
    refused(workspace, {"identifier": "ada", "data": [{}]}, 400, {"data": [{"experiment": REQUIRED}]})


def test_it_names_each_chatbot_that_the_team_does_not_have(workspace, other):
    unknown, theirs = uuid4(), other.bot.public_id
    entries = [
        workspace.entry(data={"a": 1}, schedules=[schedule()]),
        {"experiment": str(theirs), "data": {"a": 1}},
        {"experiment": unknown.hex},
        {"experiment": str(theirs)},
    ]
    refused(
        workspace,
        {"identifier": "ada", "name": "Ada", "data": entries},
        404,
        {
            "errors": [
                {"message": f"Experiment {theirs} not found"},
                {"message": f"Experiment {unknown} not found"},
            ]
        },
    )


# What comes back


def test_it_shows_the_participant_when_asked_to(workspace):
    a, b = workspace.bots
    workspace.upsert("ada", {"experiment": str(b.public_id), "data": {"n": 1}}, name="Ada")
    body = {"identifier": "ada", "data": [workspace.entry(data={"x": 1.0})]}
    response = workspace.api.post(body, Prefer="respond-async, Return = representation; x=1")
    assert response.status_code == 200
    assert response["Preference-Applied"] == "return=representation"
    assert response.json() == {
        "id": str(Participant.objects.get().public_id),
        "identifier": "ada",
        "name": "Ada",
        "platform": "api",
        "remote_id": "",
        "data": [
            {"chatbot": "Bot B", "chatbot_id": str(b.public_id), "data": {"n": 1}},
            {"chatbot": "Bot A", "chatbot_id": str(a.public_id), "data": {"x": 1.0}},
        ],
    }
    assert response.json() == workspace.api.get().json()["results"][0]


@pytest.mark.parametrize(
    "prefer", ["return=minimal", "", "representation", "return=minimal, return=representation"]
)
def test_it_answers_with_nothing_otherwise(workspace, prefer):
    response = workspace.api.post({"identifier": "ada", "data": []}, Prefer=prefer)
    assert (response.status_code, response.content) == (200, b"")
    assert "Preference-Applied" not in response


# Schedules


def test_it_schedules(workspace):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s1")]))
    (row,) = workspace.schedules()
    assert (row.external_id, row.name, row.prompt, row.scheduled_for, row.due_at, row.status) == (
        "s1",
        "Visit",
        "Remind them",
        MOMENT,
        MOMENT,
        Status.PENDING,
    )
    assert (row.participant.identifier, row.chatbot, row.team) == ("ada", workspace.bot, workspace.team)


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2030-05-01T08:00:00", MOMENT),
        ("2030-05-01 08:00", MOMENT),
        ("2030-05-01T10:00:00+02:00", MOMENT),
        ("2030-05-01T08:00:00.000001Z", MOMENT.replace(microsecond=1)),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_it_takes_a_date_in_utc_where_it_has_no_offset(workspace, date, moment):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(date=date)]))
    (row,) = workspace.schedules()
    assert (row.scheduled_for, row.status) == (moment, Status.PENDING)


INCOMPLETE = {
    "non_field_errors": ["Schedule Name, Prompt, and Date are required to create or update a schedule"]
}
UNNAMED = {"non_field_errors": ["Schedule ID is required to delete a schedule"]}
BAD_DATE = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, INCOMPLETE),
        ({"id": "s"}, INCOMPLETE),
        ({"name": "n", "prompt": "p"}, INCOMPLETE),
        ({"name": "n", "date": DATE}, INCOMPLETE),
        ({"prompt": "p", "date": DATE}, INCOMPLETE),
        ({"name": "n", "prompt": "p", "date": DATE, "delete": True}, UNNAMED),
        ({"delete": True}, UNNAMED),
        (schedule(id="x" * 33), {"id": ["Ensure this field has no more than 32 characters."]}),
        (schedule(id=""), {"id": BLANK}),
        (schedule(id=None), {"id": NULL}),
        (schedule(name=""), {"name": BLANK}),
        (schedule(name=None), {"name": NULL}),
        (schedule(prompt=""), {"prompt": BLANK}),
        (schedule(prompt="a\x00"), {"prompt": NUL}),
        (schedule(date="soon"), {"date": [BAD_DATE]}),
        (schedule(date=None), {"date": NULL}),
        (schedule(date=5), {"date": [BAD_DATE]}),
        (schedule(delete="maybe"), {"delete": ["Must be a valid boolean."]}),
    ],
    ids=repr,
)
def test_it_refuses_a_schedule_at_its_place(workspace, item, expected):
    body = {
        "identifier": "ada",
        "data": [workspace.entry(data={"a": 1}), workspace.entry(schedules=[schedule(), item])],
    }
    refused(workspace, body, 400, {"data": [{}, {"schedules": [{}, expected]}]})


def test_it_finds_the_schedule_of_a_repeated_request(workspace):
    for _ in range(3):
        workspace.upsert("ada", workspace.entry(schedules=[schedule()]))
    workspace.upsert("ada", workspace.entry(schedules=[schedule(date="2030-05-01T10:00:00+02:00")]))
    (row,) = workspace.schedules()
    assert 0 < len(row.external_id) <= 32
    workspace.upsert("ada", workspace.entry(schedules=[schedule(prompt="Another")]))
    assert len(workspace.schedules()) == 2


def test_it_keeps_ids_apart_by_participant_and_chatbot(workspace):
    a, b = ({"experiment": str(bot.public_id), "schedules": [schedule(id="s")]} for bot in workspace.bots)
    workspace.upsert("ada", a, b)
    workspace.upsert("bob", a)
    workspace.upsert("bob", {**a, "schedules": [{"id": "s", "delete": True}]})
    found = [(row.participant.identifier, row.chatbot.name, row.status) for row in workspace.schedules()]
    assert found == [
        ("ada", "Bot A", "pending"),
        ("ada", "Bot B", "pending"),
        ("bob", "Bot A", "cancelled"),
    ]


def test_it_cancels_and_ignores_an_unknown_id(workspace):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s")]))
    workspace.upsert(
        "ada", workspace.entry(schedules=[{"id": "s", "delete": True}, {"id": "t", "delete": True}])
    )
    workspace.upsert("ada", workspace.entry(schedules=[{"id": "s", "delete": True}]))
    (row,) = workspace.schedules()
    assert row.status == Status.CANCELLED


def test_it_can_not_cancel_for_another_team(workspace, other):
    other.upsert("ada", other.entry(schedules=[schedule(id="s")]))
    workspace.upsert("ada", workspace.entry(schedules=[{"id": "s", "delete": True}]))
    assert other.schedules()[0].status == Status.PENDING


@pytest.mark.parametrize(
    ("status", "fired_for", "sent", "then"),
    [
        ("pending", None, schedule(id="s", name="New"), ("pending", "New", MOMENT)),
        ("cancelled", None, schedule(id="s"), ("pending", "Visit", MOMENT)),
        ("failed", None, schedule(id="s"), ("pending", "Visit", MOMENT)),
        ("delivered", MOMENT, schedule(id="s", name="New"), ("delivered", "Visit", MOMENT)),
        (
            "delivered",
            MOMENT,
            schedule(id="s", name="New", date="2030-06-01T08:00:00Z"),
            ("pending", "New", datetime(2030, 6, 1, 8, tzinfo=UTC)),
        ),
        ("delivered", MOMENT, {"id": "s", "delete": True}, ("delivered", "Visit", MOMENT)),
    ],
)
def test_it_becomes_what_the_request_says_when_sent_again(workspace, status, fired_for, sent, then):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s")]))
    ScheduledMessage.objects.update(status=status, fired_for=fired_for)
    workspace.upsert("ada", workspace.entry(schedules=[sent]))
    (row,) = workspace.schedules()
    assert (row.status, row.name, row.scheduled_for) == then
    assert row.due_at == row.scheduled_for


@pytest.mark.parametrize(
    ("items", "then"),
    [
        ([schedule(id="s"), schedule(id="s", name="Last")], [("pending", "Last")]),
        ([{"id": "s", "delete": True}, schedule(id="s")], [("pending", "Visit")]),
        ([schedule(id="s"), {"id": "s", "delete": True}], []),
    ],
)
@pytest.mark.parametrize("split", [False, True], ids=["one entry", "two entries"])
def test_it_lets_the_last_of_two_items_with_one_id_win(workspace, items, then, split):
    groups = [[item] for item in items] if split else [items]
    workspace.upsert("ada", *(workspace.entry(schedules=group) for group in groups))
    assert [(row.status, row.name) for row in workspace.schedules()] == then


def test_it_leaves_the_retries_of_an_unchanged_schedule_alone(workspace):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s")]))
    later = timezone.now()
    ScheduledMessage.objects.update(attempts=3, due_at=later)
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s")]))
    (row,) = workspace.schedules()
    assert (row.attempts, row.due_at) == (3, later)


# Statements


@pytest.mark.parametrize(("entries", "schedules"), [(1, 0), (1, 4), (50, 4)])
def test_it_takes_the_same_statements_whatever_the_number(
    workspace, django_assert_max_num_queries, entries, schedules
):
    from apps.chatbots.models import Chatbot

    bots = [Chatbot.objects.create(team=workspace.team, name=f"More {n}") for n in range(entries)]
    workspace.api.get()  # so that the key's use is noted
    data = [
        {
            "experiment": str(bot.public_id),
            "data": {"a": 1},
            "schedules": [schedule(id=f"s{n}") for n in range(schedules)] + [{"id": "old", "delete": True}],
        }
        for bot in bots
    ]
    # credential, BEGIN (a savepoint here), chatbots, participant, data, cancel, save, COMMIT
    with django_assert_max_num_queries(8):
        workspace.upsert("ada", *data)
    assert ParticipantData.objects.count() == entries
    assert ScheduledMessage.objects.count() == entries * schedules


# The rest of the refusals


@pytest.mark.parametrize(
    "body", ["{not json", "", "NaN", '{"identifier": NaN, "data": []}', b"\xff\xfe", "[1,]"]
)
def test_it_says_what_is_wrong_with_the_json(workspace, body):
    before = snapshot()
    response = workspace.api.post(body)
    assert response.status_code == 400
    if body:
        assert response.json()["detail"].startswith("JSON parse error - ")
    assert snapshot() == before


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_it_takes_json_only(workspace, media_type):
    body = json.dumps({"identifier": "ada", "data": []})
    response = workspace.api.post(body, Content_Type=media_type)
    assert response.status_code == 415
    assert response.json() == {"detail": f'Unsupported media type "{media_type}" in request.'}
    assert not Participant.objects.exists()


def test_it_refuses_a_body_that_is_too_large(workspace, settings):
    settings.MAX_BODY_BYTES = 200
    response = workspace.api.post({"identifier": "ada", "data": [], "more": "x" * 200})
    assert (response.status_code, response.json()) == (
        413,
        {"detail": "Request body is larger than 200 bytes."},
    )
    assert workspace.api.post({"identifier": "ada", "data": []}).status_code == 200


def test_public_ids_are_version_7_and_sort_by_time(workspace):
    for n in range(3):
        workspace.upsert(f"p{n}")
    found = [row.public_id for row in Participant.objects.order_by("pk")]
    assert all(isinstance(public_id, UUID) and public_id.version == 7 for public_id in found)
    assert [public_id.int >> 80 for public_id in found] == sorted(public_id.int >> 80 for public_id in found)


def test_it_finds_no_chatbot_that_was_deleted_since_it_wrote_for_it(workspace):
    bot = workspace.bots[1]
    entry = {"experiment": str(bot.public_id), "data": {"a": 1}}
    workspace.upsert("ada", entry)
    ParticipantData.objects.filter(chatbot=bot).delete()
    bot.delete()
    response = workspace.api.post({"identifier": "bob", "data": [workspace.entry(data={"b": 1}), entry]})
    missing = {"errors": [{"message": f"Experiment {entry['experiment']} not found"}]}
    assert (response.status_code, response.json()) == (404, missing)
    assert not Participant.objects.filter(identifier="bob").exists()
    assert (workspace.team.pk, bot.public_id) not in chatbots._found, "nor does it try again each time"
