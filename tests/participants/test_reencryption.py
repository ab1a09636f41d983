"""manage.py reencrypt."""

from __future__ import annotations

import io
import itertools

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps import encryption
from apps.encryption import sealed_fields
from apps.participants import reencryption
from apps.participants.encryption import seal
from apps.participants.models import Participant, ParticipantData
from tests.fixtures import Api, Workspace, make_workspace
from tests.test_encryption import new_key
from tests.threads import meanwhile


@pytest.fixture
def ring(settings) -> list[str]:
    """The keys "old" and "new", of which the old one encrypts."""
    settings.DATA_ENCRYPTION_KEYS = [new_key(), new_key()]
    return settings.DATA_ENCRYPTION_KEYS


@pytest.fixture
def people(ring, workspace: Workspace) -> Workspace:
    """25 people with data under the old key, in two chatbots each."""
    for number in range(25):
        entries = [{"experiment": str(bot.public_id), "data": {"n": number}} for bot in workspace.bots]
        workspace.upsert(f"person {number}", *entries)
    return workspace


def rotate(settings) -> None:
    settings.DATA_ENCRYPTION_KEYS = settings.DATA_ENCRYPTION_KEYS[::-1]


def reencrypt() -> str:
    out = io.StringIO()
    call_command("reencrypt", stdout=out)
    return out.getvalue()


def headers() -> set[bytes]:
    rows = ParticipantData.objects.values_list("data", flat=True)
    return {bytes(sealed)[: encryption.HEADER_LENGTH] for sealed in rows}


def test_it_moves_everything_to_the_first_key_and_changes_nothing_else(settings, people: Workspace):
    before = people.stored()
    columns = ("id", "version", "created_at", "updated_at")
    rows = list(ParticipantData.objects.values_list(*columns).order_by("id"))
    rotate(settings)
    assert "participants.ParticipantData.data: 50 values moved to the first key.\n" in reencrypt()
    assert headers() == {encryption.current_header()}
    settings.DATA_ENCRYPTION_KEYS = settings.DATA_ENCRYPTION_KEYS[:1]  # the old key is needed no more
    assert people.stored() == before
    assert list(ParticipantData.objects.values_list(*columns).order_by("id")) == rows


def test_it_has_nothing_to_do_the_second_time(settings, people: Workspace):
    rotate(settings)
    reencrypt()
    sealed = set(ParticipantData.objects.values_list("id", "data"))
    assert "participants.ParticipantData.data: 0 values moved to the first key.\n" in reencrypt()
    assert set(ParticipantData.objects.values_list("id", "data")) == sealed


@pytest.mark.parametrize(("rows", "size"), [(7, 10**6), (500, 100)], ids=["by rows", "by bytes"])
def test_it_works_in_batches(settings, monkeypatch, people: Workspace, rows, size):
    monkeypatch.setattr(reencryption, "BATCH_ROWS", rows)
    monkeypatch.setattr(reencryption, "BATCH_BYTES", size)
    rotate(settings)
    batches: list[int] = []
    reencryption.reencrypt(on_moved=batches.append)
    assert sum(batches) == 50
    assert len(batches) > 5
    assert headers() == {encryption.current_header()}


def test_it_goes_on_where_it_was_stopped(settings, monkeypatch, people: Workspace):
    monkeypatch.setattr(reencryption, "BATCH_ROWS", 20)
    rotate(settings)

    def stop(moved: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reencryption.reencrypt(on_moved=stop)
    assert reencryption.count_to_move() == 30
    assert "30 values" in reencrypt()


def test_it_says_how_many_values_do_not_open_and_moves_the_others(settings, people: Workspace):
    rows = list(ParticipantData.objects.order_by("id"))
    lost, swapped, cut = rows[0], rows[1], rows[2]
    old, new = settings.DATA_ENCRYPTION_KEYS
    settings.DATA_ENCRYPTION_KEYS = [new_key()]  # a key that nobody has any more
    lost.data = seal(b'{"word":"secret"}', participant_id=lost.participant_id, chatbot_id=lost.chatbot_id)
    settings.DATA_ENCRYPTION_KEYS = [new, old]
    swapped.data, cut.data = bytes(rows[3].data), bytes(cut.data)[:9]
    spoiled = [lost, swapped, cut]
    for row in spoiled:
        row.save(update_fields=["data"])
    out = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("reencrypt", stdout=out)
    assert "47 values moved" in out.getvalue()
    keys = ", ".join(str(row.pk) for row in spoiled)
    assert str(refused.value) == (
        f"participants.ParticipantData.data: 3 values could not be opened (rows {keys}): their key is not in "
        "DATA_ENCRYPTION_KEYS, or they were altered. They were left as they are."
    )
    kept = {row.pk: bytes(row.data) for row in ParticipantData.objects.filter(pk__in=[r.pk for r in spoiled])}
    assert kept == {row.pk: bytes(row.data) for row in spoiled}


def test_it_shows_no_progress_where_nobody_watches(settings, capfd, people: Workspace):
    rotate(settings)
    reencrypt()
    assert capfd.readouterr().err == ""


def test_it_moves_no_null(settings, workspace: Workspace, ring):
    """A secret that was never set stays unset. Asked of SQL, for no column of today's allows it."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE participants_participantdata ALTER data DROP NOT NULL")
    workspace.upsert("ada", workspace.entry(data={"a": 1}))
    ParticipantData.objects.update(data=None)
    rotate(settings)
    assert reencryption.count_to_move() == 0
    assert "0 values" in reencrypt()


@pytest.mark.django_db(transaction=True)
def test_it_loses_no_write_of_a_server_that_runs(settings, monkeypatch, ring):
    """Three writers replace data all the while. The last value that each was told is stored is there."""
    workspace = make_workspace()
    names = [f"person {number}" for number in range(30)]
    for name in names:
        workspace.upsert(
            name, *[{"experiment": str(bot.public_id), "data": {"n": 0}} for bot in workspace.bots]
        )
    monkeypatch.setattr(reencryption, "BATCH_ROWS", 5)
    last = {(name, bot.name): 0 for name in names for bot in workspace.bots}

    def writer(share: int):
        numbers = itertools.count(1)
        api = Api(workspace.api.key)

        def write() -> None:
            number = next(numbers)
            name = names[share::3][number % 10]
            # The order of the entries changes, as it does between callers: no two may wait for each other.
            bots = workspace.bots if number % 2 else workspace.bots[::-1]
            entries = [{"experiment": str(bot.public_id), "data": {"n": number}} for bot in bots]
            assert api.post({"identifier": name, "data": entries}).status_code == 200
            for bot in bots:
                last[name, bot.name] = number

        return write

    with meanwhile(*(writer(share) for share in range(3))):
        for _ in range(6):
            rotate(settings)
            assert not any(report.unreadable for report in reencryption.reencrypt(on_moved=int))
    reencryption.reencrypt(on_moved=int)
    assert headers() == {encryption.current_header()}
    stored = workspace.stored()
    assert {(name, bot): stored[name][bot] for name, bot in last} == {
        where: f'{{"n":{number}}}' for where, number in last.items()
    }


def test_it_never_overwrites_what_was_written_since_it_read(
    settings, monkeypatch, ring, workspace: Workspace
):
    workspace.upsert("ada", workspace.entry(data={"a": 1}))
    workspace.upsert("bob", workspace.entry(data={"b": 1}))
    rotate(settings)
    move = reencryption._move

    def move_late(*arguments) -> int:
        monkeypatch.setattr(reencryption, "_move", move)
        workspace.upsert("ada", workspace.entry(data={"a": 2}))
        return move(*arguments)

    monkeypatch.setattr(reencryption, "_move", move_late)
    assert "1 values moved" in reencrypt()
    assert workspace.stored() == {"ada": {"Bot A": '{"a":2}'}, "bob": {"Bot A": '{"b":1}'}}


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_nobody_and_says_what_is_left(settings, monkeypatch, ring):
    """A row that another transaction holds is passed over, and taken once it is free."""
    monkeypatch.setattr(reencryption, "PAUSE_SECONDS", 0.01)
    workspace = make_workspace()
    workspace.upsert("ada", workspace.entry(data={"a": 1}))
    rotate(settings)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT id FROM participants_participantdata FOR UPDATE")
        with pytest.raises(CommandError, match="1 values are still under another key"):
            reencrypt()
        other.rollback()
    finally:
        other.close()
    assert "1 values moved" in reencrypt()


def test_a_value_that_does_not_open_is_an_internal_error(people: Workspace, caplog):
    """Not the caller's fault, and nothing of it shows."""
    Participant.objects.exclude(identifier="person 0").delete()
    row = ParticipantData.objects.order_by("id")[0]
    row.data = bytes(row.data)[:-1]
    row.save(update_fields=["data"])
    response = people.api.get()
    assert response.status_code == 500
    assert response.json().keys() == {"detail"}
    assert response["X-Request-ID"] in response.json()["detail"]


def test_the_registry_knows_how_each_column_is_bound():
    for column in sealed_fields():
        names = {field.attname for field in column.model._meta.concrete_fields}
        assert names >= set(column.bound_to), column
