"""What each session asks of the server: not to wait for a client that vanished without a word.

By itself a server waits for two hours or more. As long, that client's transaction keeps what it locked, and
its connections count. This is said after connecting, and not while: poolers refuse it there.
"""

from __future__ import annotations

from psycopg import AsyncConnection

# The first four notice within half a minute that the client's host is gone (they mean nothing to a socket
# of this machine): after 14 s where the server says nothing meanwhile, and if it says something just before,
# 12 s later, since unanswered data stops the probes. The last notices that the client's process hangs.
ASK = """
    SELECT set_config('tcp_keepalives_idle', '5', false),
           set_config('tcp_keepalives_interval', '3', false),
           set_config('tcp_keepalives_count', '3', false),
           set_config('tcp_user_timeout', '12s', false),
           set_config('idle_in_transaction_session_timeout', '60s', false)
"""


async def prepare(connection: AsyncConnection) -> None:
    """For a pool of psycopg's own."""
    await connection.execute(ASK)
    await connection.commit()
