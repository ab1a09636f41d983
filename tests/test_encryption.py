"""Sealing and opening what is kept secret at rest."""

from __future__ import annotations

import base64
import os
import time

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import BinaryField

from apps import encryption
from apps.encryption import Unreadable, seal, sealed_fields, unseal

TEXT = b'{"note":"' + b"x" * 290 + b'"}'

# Binary columns that hold no secret, or one that can't be told from what is stored.
NOT_SEALED = {"access.ApiKey.hash": "a digest", "teams.Invitation.hash": "a digest"}


def new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def keys(settings) -> list[str]:
    settings.DATA_ENCRYPTION_KEYS = [new_key(), new_key()]
    return settings.DATA_ENCRYPTION_KEYS


@pytest.mark.parametrize(
    "text", [b"", b"{}", TEXT, os.urandom(100_000)], ids=["none", "short", "usual", "long"]
)
def test_it_opens_what_it_sealed(keys, text):
    assert unseal(seal(text, binding=b"row 1"), binding=b"row 1") == text


def test_it_never_writes_one_value_twice_alike(keys):
    assert len({seal(TEXT, binding=b"row 1") for _ in range(100)}) == 100


def test_it_shows_nothing_of_the_text(keys):
    assert b"xxx" not in seal(TEXT, binding=b"row 1")


def test_it_refuses_a_value_with_any_bit_flipped(keys):
    sealed = seal(b'{"a":1}', binding=b"row 1")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Unreadable):
            unseal(bytes(altered), binding=b"row 1")


def test_it_refuses_a_value_cut_off_anywhere(keys):
    sealed = seal(b'{"a":1}', binding=b"row 1")
    for length in range(len(sealed)):
        with pytest.raises(Unreadable):
            unseal(sealed[:length], binding=b"row 1")


def test_it_refuses_a_value_with_bytes_added(keys):
    with pytest.raises(Unreadable):
        unseal(seal(TEXT, binding=b"row 1") + b"\0", binding=b"row 1")


def test_it_refuses_a_value_of_another_row(keys):
    with pytest.raises(Unreadable):
        unseal(seal(TEXT, binding=b"row 1"), binding=b"row 2")


def test_it_refuses_a_value_whose_key_left_the_ring(settings, keys):
    sealed = seal(TEXT, binding=b"row 1")
    settings.DATA_ENCRYPTION_KEYS = [new_key()]
    with pytest.raises(Unreadable):
        unseal(sealed, binding=b"row 1")


def test_it_opens_with_every_key_and_seals_with_the_first(settings, keys):
    first, second = keys
    sealed = seal(TEXT, binding=b"row 1")
    settings.DATA_ENCRYPTION_KEYS = [second, first]
    assert unseal(sealed, binding=b"row 1") == TEXT
    assert not sealed.startswith(encryption.current_header())
    assert seal(TEXT, binding=b"row 1").startswith(encryption.current_header())


@pytest.mark.parametrize(
    "ring",
    [[], [""], ["short"], [base64.b64encode(b"16 bytes of key!").decode()], ["ключ"]],
    ids=["no key", "an empty one", "not base64", "16 bytes", "not ASCII"],
)
def test_it_says_what_a_key_has_to_be(settings, ring):
    settings.DATA_ENCRYPTION_KEYS = ring
    with pytest.raises(ImproperlyConfigured, match="DATA_ENCRYPTION_KEYS"):
        seal(TEXT, binding=b"row 1")


def test_it_takes_microseconds(keys):
    """About 2 µs each way on a usual machine. The fastest of several rounds: others share the processor."""
    sealed = seal(TEXT, binding=b"row 1")
    rounds = []
    for _ in range(10):
        start = time.perf_counter()
        for _ in range(200):
            seal(TEXT, binding=b"row 1")
            unseal(sealed, binding=b"row 1")
        rounds.append((time.perf_counter() - start) / 200)
    assert min(rounds) < 40e-6


def test_every_binary_column_is_sealed_or_stands_in_the_list():
    """A SealedField is what `manage.py reencrypt` finds: make a new secret column one."""
    ours = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    binary = {
        f"{model._meta.label}.{field.name}"
        for model in ours
        for field in model._meta.local_concrete_fields
        if isinstance(field, BinaryField)
    }
    sealed = {f"{field.model._meta.label}.{field.name}" for field in sealed_fields()}
    assert binary == sealed | NOT_SEALED.keys()
    assert "participants.ParticipantData.data" in sealed
