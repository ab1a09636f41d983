"""From the address of a database to Django's settings for it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from config import cluster, database, env


def database_at(address: str) -> dict[str, Any]:
    """What Django is to know of the database at a `postgresql://` address; without one, of the embedded one.

    Raises SettingError.
    """
    options: dict[str, Any] = {
        "connect_timeout": 3,
        # What comes again is prepared, except behind a pooler: see `config.postgres`.
        "prepare_threshold": 5,
        # A host that vanished without a word is noticed within seconds.
        "tcp_user_timeout": 5000,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
    }
    # A thread keeps its connection, and looks whether it is alive before each request: see `config.postgres`.
    kept = {"ENGINE": "config.postgres", "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}
    if not address:
        where = {
            "HOST": str(cluster.socket_dir(env.DATA_DIR)),
            "PORT": "5432",  # else PGPORT would count
            "NAME": database.NAME,
            "USER": cluster.SUPERUSER,
        }
        return where | kept
    url = urlsplit(address)
    if url.scheme not in ("postgres", "postgresql"):
        raise env.SettingError("DATABASE_URL has to start with postgresql://: no other database will do.")
    query = dict(parse_qsl(url.query))
    return kept | {
        "HOST": unquote(url.hostname or "") or query.pop("host", ""),
        "PORT": str(url.port or query.pop("port", "")),
        "NAME": unquote(url.path.removeprefix("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        # PgBouncer in transaction mode gives the next statement another session, without the cursor.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": query | options,
    }
