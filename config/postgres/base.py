"""Django's own PostgreSQL backend, with the embedded server, and with short outages.

The pool alone waits out its timeout for every request while the server is away, and hands out connections
that the server closed meanwhile. Both are noticed here without a round trip to the server.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from config import database, env


class DatabaseWrapper(base.DatabaseWrapper):
    # Shared by the threads of the process, as the pool is. Set without a lock: the worst is a probe too many.
    _is_started = False
    _is_away = False
    # Django's stubs leave these out.
    Database: Any
    pool: Any

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._start_server()
        if not self.pool:
            return super().get_new_connection(conn_params)
        while True:
            if DatabaseWrapper._is_away:
                self.Database.connect(**conn_params).close()  # Refused at once, where the pool would wait.
                DatabaseWrapper._is_away = False
            try:
                connection = super().get_new_connection(conn_params)
            except PoolTimeout:
                DatabaseWrapper._is_away = True
                raise
            if _is_alive(connection):
                return connection
            DatabaseWrapper._is_away = True
            connection.close()
            connection._pool.putconn(connection)

    def _configure_connection(self, connection: Any) -> bool:
        """Behind PgBouncer each transaction may have another session, without what was prepared in the last.
        A pooler shows by its greeting, which names no process of the server's."""
        server_pid = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
        if server_pid != connection.info.backend_pid:
            connection.prepare_threshold = None
        return bool(super()._configure_connection(connection))  # type: ignore[misc]  # not in the stubs

    def _start_server(self) -> None:
        # Once: a server that is stopped while this process runs stays stopped.
        if not env.DATABASE_URL and not DatabaseWrapper._is_started:
            database.start(env.DATA_DIR)
            DatabaseWrapper._is_started = True


def _is_alive(connection: Any) -> bool:
    """False when the server closed it. Asks the server only if it has sent something unasked."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return True
    try:
        connection.execute("")
    except OperationalError:
        return False
    return True
