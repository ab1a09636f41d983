"""The secrets with which webhooks are signed: made here, sealed at rest, shown once."""

from __future__ import annotations

import base64
import secrets

from apps import encryption

PREFIX = "whsec_"  # As the Standard Webhooks specification writes them.
_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def seal(secret: str, *, chatbot_id: int) -> bytes:
    return encryption.seal(secret.encode(), binding=binding(chatbot_id))


def unseal(sealed: bytes, *, chatbot_id: int) -> str:
    """Raises encryption.Unreadable."""
    return encryption.unseal(sealed, binding=binding(chatbot_id)).decode()


def binding(chatbot_id: int) -> bytes:
    return b"webhook" + chatbot_id.to_bytes(8, "big")
