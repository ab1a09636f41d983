"""What is kept secret at rest: AES-256-GCM with a ring of keys, bound to the row that it belongs to.

A sealed value is

    1 byte    version of this format (1)
    4 bytes   which key: the first bytes of its SHA-256
    12 bytes  nonce, random
    n bytes   the text, encrypted
    16 bytes  tag

The binding is authenticated with it, so that a value copied to another row does not open. A random
nonce bounds one key to some 2^32 writes (NIST SP 800-38D, 8.3); rotate before.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

_VERSION = 1
HEADER_LENGTH = 5
_NONCE_END = 17


class Unreadable(Exception):
    """A stored value does not open: its key is not in the ring, or it was tampered with.

    No DomainError: no caller can mend it.
    """

    def __init__(self) -> None:
        super().__init__(
            "A stored value does not open: DATA_ENCRYPTION_KEYS lacks its key, or it was altered."
        )


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys, by the first bytes of what they sealed. The first one seals."""

    header: bytes
    first: AESGCM
    by_header: dict[bytes, AESGCM]

    def seal(self, text: bytes, *, binding: bytes) -> bytes:
        """`binding` names the row: what it has in common with no other value."""
        nonce = os.urandom(12)
        return self.header + nonce + self.first.encrypt(nonce, text, binding)

    def unseal(self, sealed: bytes, *, binding: bytes) -> bytes:
        """Raises Unreadable."""
        key = self.by_header.get(sealed[:HEADER_LENGTH])
        if key is None:
            raise Unreadable
        try:
            return key.decrypt(sealed[HEADER_LENGTH:_NONCE_END], sealed[_NONCE_END:], binding)
        except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
            raise Unreadable from error


@lru_cache(maxsize=4)
def _ring_of(keys: tuple[str, ...]) -> Ring:
    by_header = {}
    for text in keys:
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError:
            key = b""
        if len(key) != 32:
            raise ImproperlyConfigured("DATA_ENCRYPTION_KEYS takes base64 of 32 bytes for each key.")
        by_header[bytes([_VERSION]) + hashlib.sha256(key).digest()[:4]] = AESGCM(key)
    if not by_header:
        raise ImproperlyConfigured("DATA_ENCRYPTION_KEYS is empty.")
    header = next(iter(by_header))
    return Ring(header, by_header[header], by_header)


def ring() -> Ring:
    """That of the settings. For many values, ask once."""
    return _ring_of(tuple(settings.DATA_ENCRYPTION_KEYS))


def current_header() -> bytes:
    """How values start that the first key sealed."""
    return ring().header


def seal(text: bytes, *, binding: bytes) -> bytes:
    """`binding` names the row: what it has in common with no other value."""
    return ring().seal(text, binding=binding)


def unseal(sealed: bytes, *, binding: bytes) -> bytes:
    """Raises Unreadable."""
    return ring().unseal(sealed, binding=binding)


class SealedField(models.BinaryField):  # type: ignore[type-arg]  # not generic at run time
    """A column of sealed values, which `manage.py reencrypt` moves to a new key.

    `binding` makes the binding of a row's value from the row's columns that `bound_to` names. It has to
    be the one that the value was sealed with.
    """

    def __init__(
        self, *args: Any, bound_to: tuple[str, ...], binding: Callable[..., bytes], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.bound_to = bound_to
        self.binding = binding

    def deconstruct(self) -> Any:
        """For migrations it is a BinaryField: how values are bound leaves the column as it is."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.BinaryField", args, options

    def clone(self) -> SealedField:
        _, _, args, options = self.deconstruct()
        return SealedField(*args, bound_to=self.bound_to, binding=self.binding, **options)


def sealed_fields() -> list[SealedField]:
    """Every sealed column of the project."""
    fields = (field for model in apps.get_models() for field in model._meta.local_concrete_fields)
    return [field for field in fields if isinstance(field, SealedField)]
