"""POST /api/participants: what chatbots keep of a person."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.participants.models import ParticipantData
from tests.api.upserts import NULL, REQUIRED, refused, schedule


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
