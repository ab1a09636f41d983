"""What no sane caller sends: each is refused in words, or stored as it is. Never a 5xx, never half of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from apps.participants.models import Participant
from tests.fixtures import Workspace, snapshot

NUL = ["Null characters are not allowed."]
NO_STRING = ["Not a valid string."]
NO_UUID = ["Must be a valid UUID."]
NO_BOOLEAN = ["Must be a valid boolean."]
NO_TEXT = ["Contains a lone surrogate, which is not valid in UTF-8."]
TOO_DEEP = ["Nested more than 200 levels deep."]
OUT_OF_RANGE = ["Datetime value out of range."]
BAD_DATE = [
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
]


def surrogate(code: str = "D800") -> list[str]:
    return [f"Surrogate characters are not allowed: U+{code}."]


def no_object(kind: str) -> dict[str, list[str]]:
    return {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]}


def body(workspace: Workspace, **texts: str) -> str:
    """A request in which each field named has this JSON text. Those of a schedule begin with `s_`."""
    fields = {"identifier": '"ada"', "experiment": f'"{workspace.bot.public_id}"', "data": '{"a":1}'} | texts
    schedule = {name[2:]: text for name, text in fields.items() if name.startswith("s_")}
    if schedule:
        fixed = {"name": '"n"', "prompt": '"p"', "date": '"2030-05-01T08:00:00Z"'}
        fields["schedules"] = f"[{as_object(fixed | schedule)}]"
    entry = as_object({name: fields[name] for name in ("experiment", "data", "schedules") if name in fields})
    top = {name: fields[name] for name in ("identifier", "name", "platform", "more") if name in fields}
    return as_object(top | {"data": fields.get("entries", f"[{entry}]")})


def as_object(fields: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"


def refused(workspace: Workspace, sent: str | bytes, expected: object = None) -> str:
    """400 with this body, or with a `detail`, which is returned. Nothing was written."""
    workspace.upsert("before", workspace.entry(data={"kept": True}))
    before = snapshot()
    response = workspace.api.post(sent)
    assert response.status_code == 400, response.content
    assert snapshot() == before
    if expected is not None:
        assert response.json() == expected
        return ""
    assert response.json().keys() == {"detail"}
    return response.json()["detail"]


# What is no JSON, or no text


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"identifier":"ada","data":' + b"[" * 2000 + b"]" * 2000 + b"}", "nested too deeply"),
        (b'{"identifier":"ada","data":[]}'.decode().encode("utf-16"), "'utf-8' codec can't decode byte 0xff"),
        (b'{"identifier":"ada","data":[]}'.decode().encode("utf-16-le"), "Expecting property name"),
        (b'\xef\xbb\xbf{"identifier":"ada","data":[]}', "Expecting value: line 1 column 1"),
        (b'{"identifier":"\xff","data":[]}', "'utf-8' codec can't decode byte 0xff"),
        (b'{"identifier":"\xed\xa0\x80","data":[]}', "'utf-8' codec can't decode byte 0xed"),
        (b'{"identifier":"\xc0\x80","data":[]}', "'utf-8' codec can't decode byte 0xc0"),
        (b'{"identifier":"a\x00b","data":[]}', "Invalid control character"),
        (b'\x00{"identifier":"ada","data":[]}', "Expecting value"),
        (b'{"identifier":"ada","data":[]}\x00', "Extra data"),
        (b'{"identifier":"ada","data":[]}{"identifier":"bob","data":[]}', "Extra data"),
        (b"{'identifier':'ada','data':[]}", "Expecting property name"),
        (b'{"identifier":"ada","data":[],}', "line 1 column"),
        (b'{"identifier":"ada","data":[], // hm\n}', "Expecting property name"),
        (b"\x1f\x8b\x08\x00", "'utf-8' codec can't decode byte 0x8b"),
    ],
)
def test_it_says_what_is_no_json(workspace, sent, says):
    detail = refused(workspace, sent)
    assert detail.startswith("JSON parse error - ")
    assert says in detail


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1E+999999999", "9" * 400 + ".0"])
@pytest.mark.parametrize("where", ["identifier", "name", "platform", "data", "more", "s_id", "s_date"])
def test_it_refuses_a_number_that_is_no_number_anywhere(workspace, where, text):
    sent = f'{{"deep":[{text}]}}' if where == "data" else text
    assert refused(workspace, body(workspace, **{where: sent})).startswith(
        "JSON parse error - Number out of range: "
    )


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x1", "1e", "\u0661", "--1"]
)
def test_it_refuses_what_json_does_not_call_a_number(workspace, text):
    assert refused(workspace, body(workspace, data=f'{{"n":{text}}}')).startswith("JSON parse error - ")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"identifier": r'"\ud800"'}, {"identifier": surrogate()}),
        ({"identifier": r'"a\udfffb"'}, {"identifier": surrogate("DFFF")}),
        ({"identifier": r'"\udc00\ud800"'}, {"identifier": surrogate("DC00")}),
        ({"name": r'"\ud800"'}, {"name": surrogate()}),
        ({"platform": r'"\ud800"'}, {"platform": ['"\ud800" is not a valid choice.']}),
        ({"experiment": '"' + r"\ud800" * 32 + '"'}, {"data": [{"experiment": NO_UUID}]}),
        ({"data": r'{"a":"\ud800"}'}, {"data": [{"data": NO_TEXT}]}),
        ({"data": r'{"\ud800":1}'}, {"data": [{"data": NO_TEXT}]}),
        ({"data": r'{"a":[{"b":["\udc00\ud800"]}]}'}, {"data": [{"data": NO_TEXT}]}),
        ({"s_id": r'"\ud800"'}, {"data": [{"schedules": [{"id": surrogate()}]}]}),
        ({"s_name": r'"\ud800"'}, {"data": [{"schedules": [{"name": surrogate()}]}]}),
        ({"s_prompt": r'"\ud800"'}, {"data": [{"schedules": [{"prompt": surrogate()}]}]}),
        ({"s_date": r'"\ud800"'}, {"data": [{"schedules": [{"date": BAD_DATE}]}]}),
        ({"s_delete": r'"\ud800"'}, {"data": [{"schedules": [{"delete": NO_BOOLEAN}]}]}),
        ({"identifier": r'"\u0000"'}, {"identifier": NUL}),
        ({"name": r'"a\u0000"'}, {"name": NUL}),
        ({"platform": r'"\u0000"'}, {"platform": ['"\x00" is not a valid choice.']}),
        ({"experiment": r'"\u0000"'}, {"data": [{"experiment": NO_UUID}]}),
        ({"s_id": r'"\u0000"'}, {"data": [{"schedules": [{"id": NUL}]}]}),
        ({"s_name": r'"\u0000"'}, {"data": [{"schedules": [{"name": NUL}]}]}),
        ({"s_prompt": r'"\u0000"'}, {"data": [{"schedules": [{"prompt": NUL}]}]}),
        ({"s_date": r'"\u0000"'}, {"data": [{"schedules": [{"date": BAD_DATE}]}]}),
        ({"s_delete": r'"\u0000"'}, {"data": [{"schedules": [{"delete": NO_BOOLEAN}]}]}),
    ],
    ids=str,
)
def test_it_refuses_surrogates_and_nul_where_text_is_kept_as_text(workspace, fields, expected):
    refused(workspace, body(workspace, **fields), expected)


@pytest.mark.parametrize("text", [r'"\ud800"', r'"\u0000"', r'{"\ud800":"\u0000"}', "[" * 200 + "]" * 200])
def test_it_ignores_whatever_stands_in_an_unknown_field(workspace, text):
    response = workspace.api.post(body(workspace, more=text), Prefer="return=representation")
    assert response.status_code == 200
    assert response.json()["data"][0]["data"] == {"a": 1}


# Depth


@pytest.mark.parametrize(("start", "end"), [('{"a":', "}"), ("[", "]")], ids=["objects", "lists"])
def test_it_takes_200_levels_and_no_more(workspace, start, end):
    text = f'{{"a":{start * 199}{end * 199}}}'.replace('{"a":}', "{}")
    assert workspace.api.post(body(workspace, data=text)).status_code == 200
    assert workspace.stored()["ada"] == {"Bot A": text}
    text = f'{{"a":{start * 200}{end * 200}}}'.replace('{"a":}', "{}")
    refused(workspace, body(workspace, data=text), {"data": [{"data": TOO_DEEP}]})


@pytest.mark.parametrize(
    "where", ["identifier", "platform", "experiment", "data", "s_date", "s_delete", "s_id"]
)
def test_it_survives_any_depth_anywhere(workspace, where):
    """Just before Python's own limit, what reads, checks or quotes a value could be the one that meets it."""
    for depth in (201, 500, *range(850, 1000, 20), 1000, 5000):
        sent = "[" * depth + "]" * depth
        response = workspace.api.post(
            body(workspace, **{where: f'{{"a":{sent}}}' if where == "data" else sent})
        )
        assert response.status_code == 400, depth
    assert not Participant.objects.exists()


# Numbers


NUMBERS = [
    *(
        "0",
        "-0",
        "-0.0",
        "0.0",
        "1.0",
        "1.10",
        "1E5",
        "1e5",
        "1E+5",
        "1e-5",
        "100000.0",
        "1e-400",
        "-1e-999999",
    ),
    *("9007199254740993", "999999999999999999", "1000000000000000000", "-9223372036854775809"),
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827021181583404541015625",
    *("9" * 5000, "-" + "9" * 5000, "0." + "1" * 5000, "1e" + "0" * 5000, "9" * 300 + ".50"),
]


@pytest.mark.parametrize("text", NUMBERS, ids=lambda text: f"{text[:20]}:{len(text)}")
def test_it_gives_a_number_back_as_it_was_sent(workspace, text):
    data = f'{{"n":{text},"l":[{text},{{"m":{text}}}]}}'
    response = workspace.api.post(body(workspace, data=data), Prefer="return=representation")
    assert response.status_code == 200
    assert response.content.decode().endswith(f'"data":{data}}}]}}')
    assert workspace.stored() == {"ada": {"Bot A": data}}
    assert f'"data":{data}}}'.encode() in workspace.api.get().content


@pytest.mark.parametrize(
    ("text", "kept"),
    [("1.10", "1.10"), ("-0", "-0"), ("1E5", "1E5"), ("9" * 30, "9" * 30), ("9" * 320, "9" * 320)],
)
def test_it_takes_a_number_as_text_with_its_own_digits(workspace, text, kept):
    response = workspace.api.post(body(workspace, identifier=text, name=text))
    assert response.status_code == 200
    assert [(row.identifier, row.name) for row in Participant.objects.all()] == [(kept, kept)]


def test_it_keeps_the_last_of_two_values_for_one_key(workspace):
    sent = body(workspace, data='{"a":1,"b":2,"a":{"c":1,"c":2}}').replace("{", '{"identifier":"bob",', 1)
    assert workspace.api.post(sent).status_code == 200
    assert workspace.stored() == {"ada": {"Bot A": '{"a":{"c":2},"b":2}'}}


# Wrong types


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("identifier", {"identifier": NO_STRING}),
        ("name", {"name": NO_STRING}),
        ("experiment", {"data": [{"experiment": NO_UUID}]}),
        ("s_id", {"data": [{"schedules": [{"id": NO_STRING}]}]}),
        ("s_name", {"data": [{"schedules": [{"name": NO_STRING}]}]}),
        ("s_prompt", {"data": [{"schedules": [{"prompt": NO_STRING}]}]}),
        ("s_date", {"data": [{"schedules": [{"date": BAD_DATE}]}]}),
        ("s_delete", {"data": [{"schedules": [{"delete": NO_BOOLEAN}]}]}),
    ],
)
def test_it_refuses_a_wrong_type(workspace, where, expected):
    for text in ("[]", "{}", '["ada"]', '{"a":"ada"}', "[[[]]]", "true"):
        if (where, text) != ("s_delete", "true"):
            refused(workspace, body(workspace, **{where: text}), expected)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("null", {"non_field_errors": ["No data provided"]}),
        ("true", no_object("bool")),
        ("5", no_object("int")),
        ('"ada"', no_object("str")),
        ("[[]]", no_object("list")),
        ('{"identifier":"ada","data":[null]}', {"data": [["This field may not be null."]]}),
        ('{"identifier":"ada","data":[[]]}', {"data": [no_object("list")]}),
        ('{"identifier":"ada","data":["x"]}', {"data": [no_object("str")]}),
        ('{"identifier":"ada","data":[true]}', {"data": [no_object("bool")]}),
    ],
)
def test_it_refuses_what_is_no_object(workspace, sent, expected):
    refused(workspace, sent, expected)


@pytest.mark.parametrize(
    "text", ["1E5", "-1", "0.5", '""', '"0"', str(2**128), "9" * 5000, '"' + "g" * 32 + '"']
)
def test_it_refuses_what_is_no_uuid(workspace, text):
    refused(workspace, body(workspace, experiment=text), {"data": [{"experiment": NO_UUID}]})


def test_it_names_the_first_of_very_many_wrong_entries_in_time(workspace):
    """Two million wrong entries fit a body. Their errors would be many times as long."""
    entries = [f'{{"experiment":"{workspace.bot.public_id}"}}'] * 1500 + ["0"] * 2_000_000
    response = workspace.api.post(body(workspace, entries=f"[{','.join(entries)}]"))
    assert response.status_code == 400
    found = response.json()["data"]
    assert found[:1500] == [{}] * 1500
    assert found[1500:] == [no_object("int")] * 500


def test_it_takes_very_many_entries(workspace):
    entry = f'{{"experiment":"{workspace.bot.public_id}","data":{{"n":%d}}}}'
    entries = ",".join(entry % number for number in range(5000))
    assert workspace.api.post(body(workspace, entries=f"[{entries}]")).status_code == 200
    assert workspace.stored() == {"ada": {"Bot A": '{"n":4999}'}}


# Dates


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T14:00:00+14:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("9999-12-31T13:59:59-10:00", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2030-05-01", datetime(2030, 5, 1, tzinfo=UTC)),
        ("2030-W18-3", datetime(2030, 5, 1, tzinfo=UTC)),
        ("20300501T080000Z", datetime(2030, 5, 1, 8, tzinfo=UTC)),
        ("2030-05-01T08:00:00+23:59", datetime(2030, 4, 30, 8, 1, tzinfo=UTC)),
        ("2030-05-01T08:00:00.123456789Z", datetime(2030, 5, 1, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2028-02-29T12:00", datetime(2028, 2, 29, 12, tzinfo=UTC)),
    ],
)
def test_it_takes_a_date_at_the_edge(workspace, text, moment):
    assert workspace.api.post(body(workspace, s_date=json.dumps(text))).status_code == 200
    (row,) = workspace.schedules()
    assert (row.scheduled_for, row.due_at) == (moment, moment)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0001-01-01T00:00:00+14:00", OUT_OF_RANGE),
        ("9999-12-31T23:59:59-14:00", OUT_OF_RANGE),
        *(
            (text, BAD_DATE)
            for text in (
                *(
                    "2030-06-30T23:59:60Z",
                    "0000-01-01T00:00:00Z",
                    "10000-01-01T00:00:00Z",
                    "-0001-01-01T00:00Z",
                ),
                *("2030-02-29T00:00Z", "2030-05-01T24:01Z", "2030-05-01T08:00+24:00", "2030-13-01T00:00Z"),
                *("now", "tomorrow", "", " ", "1700000000", "08:00", "2030", "2030-05-01T08:00:00Z" * 1000),
                *(5, 1700000000, 1.5, 10**30, -(10**20)),
            )
        ),
    ],
)
def test_it_refuses_a_date_that_is_none(workspace, text, expected):
    refused(
        workspace,
        body(workspace, s_date=json.dumps(text)),
        {"data": [{"schedules": [{"date": expected}]}]},
    )
