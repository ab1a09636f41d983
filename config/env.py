"""The environment, read in this file and nowhere else.

Every variable stands in docs/settings.md; a test compares the two.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.errors import SettingError as SettingError

BASE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    default: str
    help: str


VARIABLES: dict[str, Variable] = {}


def _declare(name: str, default: str, help: str) -> Variable:
    variable = Variable(name, default, help)
    VARIABLES[name] = variable
    return variable


def _text(name: str, help: str, default: str = "") -> str:
    # A variable that is set but empty counts as unset: compose passes those on.
    return os.environ.get(_declare(name, default, help).name, "").strip() or default


def _number(name: str, help: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    raw = _text(name, help, str(default))
    if not raw.isascii() or not raw.isdigit() or int(raw) < least or (most and int(raw) > most):
        upper = f" to {most}" if most else " or more"
        raise SettingError(f"{name} is {raw!r}: it takes a whole number, {least}{upper}.")
    return int(raw)


def _switch(name: str, help: str, default: bool) -> bool:
    raw = _text(name, help, "true" if default else "false").lower()
    if raw in ("1", "true", "yes", "on"):
        return True
    if raw in ("0", "false", "no", "off"):
        return False
    raise SettingError(f"{name} is {raw!r}: it takes true or false.")


def _items(name: str, help: str, default: str = "") -> list[str]:
    return [item.strip() for item in _text(name, help, default).split(",") if item.strip()]


def _default_data_dir() -> Path:
    if os.geteuid() != 0:
        return BASE_DIR / ".data"
    # PostgreSQL refuses to run as root, so another user must reach the directory: it can't be
    # below root's home. One directory for each checkout.
    mark = hashlib.sha256(str(BASE_DIR).encode()).hexdigest()[:8]
    return Path("/var/lib/open-chat-participants") / f"{BASE_DIR.name}-{mark}"


DATA_DIR = Path(
    _text(
        "DATA_DIR",
        "Where the embedded database and generated secrets live. "
        "Default: `.data/` in the checkout; for root a directory under `/var/lib`.",
    )
    or _default_data_dir()
).absolute()

DATABASE_URL = _text(
    "DATABASE_URL",
    "`postgresql://user:password@host:port/name` of any PostgreSQL 14 or newer. "
    "Unset: an embedded PostgreSQL is started in `DATA_DIR`.",
)
TEST_DATABASE_URL = _text(
    "TEST_DATABASE_URL",
    "The server on which the tests make their database. Unset: a temporary embedded one.",
)

WORKER_DATABASE_URL = _text(
    "WORKER_DATABASE_URL",
    "Where workers find the database, if elsewhere than `DATABASE_URL` says: the address of PostgreSQL "
    "itself where `DATABASE_URL` is that of PgBouncer in transaction mode.",
)
WEBHOOK_ALLOW_PRIVATE_NETWORKS = _switch(
    "WEBHOOK_ALLOW_PRIVATE_NETWORKS",
    "Let webhooks go to addresses inside, such as 127.0.0.1: for development only, because whoever may set "
    "an endpoint then reaches what this machine reaches. `make run` sets it.",
    default=False,
)

HOST = _text("HOST", "The address that the web server listens on.", "127.0.0.1")
PORT = _number("PORT", "The port that the web server listens on.", 8000, most=65535)
WEB_WORKERS = _number("WEB_WORKERS", "Web processes.", 2, most=256)
WEB_THREADS = _number(
    "WEB_THREADS",
    "Requests that each web process answers at once, each with a connection to the database. 0: two with "
    "the embedded database, four with one elsewhere, which is waited for longer.",
    0,
    least=0,
    most=256,
) or (4 if DATABASE_URL else 2)

PUBLIC_URL = _text(
    "PUBLIC_URL",
    "The address that people use, such as `https://participants.example.org`. Set it in production: "
    "cookies become secure, other hosts are refused, and secrets must be given. "
    "Unset: a trial on your own machine.",
).rstrip("/")
if PUBLIC_URL and urlsplit(PUBLIC_URL).scheme not in ("http", "https"):
    raise SettingError(f"PUBLIC_URL is {PUBLIC_URL!r}: it takes an http:// or https:// address.")
IS_TRIAL = not PUBLIC_URL
IS_HTTPS = PUBLIC_URL.startswith("https://")

ALLOWED_HOSTS = _items(
    "ALLOWED_HOSTS",
    "Host names that are answered, with commas between. Default: the host of `PUBLIC_URL` and "
    "loopback; any host while `PUBLIC_URL` is unset.",
)
TRUSTED_PROXIES = _items(
    "TRUSTED_PROXIES",
    "Addresses or networks of reverse proxies whose `X-Forwarded-*` headers are believed, with commas "
    "between.",
    "127.0.0.0/8,::1",
)
CORS_ALLOWED_ORIGINS = _items(
    "CORS_ALLOWED_ORIGINS",
    "Origins whose pages may call the API from a browser, with commas between. Default: none.",
)
MAX_BODY_BYTES = _number("MAX_BODY_BYTES", "A larger request body is refused with 413.", 5 * 1024 * 1024)

PARTICIPANT_TOKEN_HOURS = _number(
    "PARTICIPANT_TOKEN_HOURS", "How long a visitor's token for the widget is valid.", 24, most=24 * 365
)

GENERATE_SECRETS = _switch(
    "GENERATE_SECRETS",
    "Make `SECRET_KEY` and `DATA_ENCRYPTION_KEYS` at the first start where they are unset, and keep them "
    "in `DATA_DIR/secrets.json`. Default: true while `PUBLIC_URL` is unset.",
    IS_TRIAL,
)
SECRET_KEY = _text("SECRET_KEY", "Signs sessions and cursors. 50 random characters or more.")
DATA_ENCRYPTION_KEYS = _items(
    "DATA_ENCRYPTION_KEYS",
    "Keys for participant data, base64 of 32 bytes each, with commas between: the first encrypts, "
    "all decrypt. `manage.py reencrypt` moves everything to the first.",
)
LOG_LEVEL = _text("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR.", "INFO").upper()
