"""The secrets of a trial: made once, kept in DATA_DIR, readable by their owner alone."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from config import env
from config.files import write_once


def generated(name: str) -> Any:
    """Of SECRET_KEY and DATA_ENCRYPTION_KEYS the one of that name. Raises SettingError in a deployment."""
    if not env.GENERATE_SECRETS:
        raise env.SettingError(f"{name} is not set: see docs/settings.md for how to make one.")
    return json.loads(write_once(env.DATA_DIR / "secrets.json", _make))[name]


def _make() -> str:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return json.dumps({"SECRET_KEY": secrets.token_urlsafe(50), "DATA_ENCRYPTION_KEYS": [key]})
