"""The form of keys and tokens: a prefix that scanners and people recognise, then 256 random bits."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "ocp_"
ACCESS_TOKEN_PREFIX = "oca_"  # noqa: S105 (a prefix)
REFRESH_TOKEN_PREFIX = "ocr_"  # noqa: S105 (a prefix)
CLIENT_SECRET_PREFIX = "ocs_"  # noqa: S105 (a prefix)
EMBED_KEY_PREFIX = "oce_"
IDENTITY_SECRET_PREFIX = "oci_"  # noqa: S105 (a prefix)
HINT_LENGTH = len(PREFIX) + 4


def new_secret(prefix: str = PREFIX) -> str:
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored. A plain SHA-256 will do: 256 random bits can't be guessed, so the hash need
    not be slow, and looking it up in an index tells a stranger nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
