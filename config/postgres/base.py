"""Django's own PostgreSQL backend, with the embedded server, prepared statements, and short outages.

Each thread keeps its connection from request to request. Before a request uses it, it is seen without a
round trip whether the server has closed it meanwhile.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import OperationalError

from config import database, env
from config.postgres import sessions


class DatabaseWrapper(base.DatabaseWrapper):
    # Shared by the threads of the process. Set without a lock: the worst is a look too many.
    _is_started = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        # Once: a server that is stopped while this process runs stays stopped.
        if not env.DATABASE_URL and not DatabaseWrapper._is_started:
            database.start(env.DATA_DIR)
            DatabaseWrapper._is_started = True
        return super().get_new_connection(conn_params)

    def is_usable(self) -> bool:
        """What Django asks before a request's first statement, where it would run one of its own."""
        return self.connection is not None and _is_alive(self.connection)

    def _configure_connection(self, connection: Any) -> bool:
        """Behind PgBouncer each transaction may have another session, without what was prepared in the last.
        A pooler shows by its greeting, which names no process of the server's."""
        with connection.cursor() as cursor:
            cursor.execute(sessions.ASK)
            server_pid = cursor.execute("SELECT pg_backend_pid()").fetchone()[0]
        if server_pid != connection.info.backend_pid:
            connection.prepare_threshold = None
        super()._configure_connection(connection)  # type: ignore[misc]  # not in the stubs
        return True


def _is_alive(connection: Any) -> bool:
    """False when the server closed it. Asks the server only if it has sent something unasked."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return True
    try:
        connection.execute("")
    except OperationalError:
        return False
    return True
