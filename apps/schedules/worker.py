"""What a worker process does: it sends what is due, and runs jobs. Either goes on through an outage."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from psycopg import Error

from .deliverer import Deliverer
from .outbound import Outbound

logger = logging.getLogger(__name__)

# Of the 30 seconds that a process is commonly given to end.
PATIENCE = 25.0
_JOBS_AT_ONCE = 4
_AFTER_OUTAGE = 2.0


async def work(jobs: App, outbound: Outbound, *, patience: float = PATIENCE) -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = asyncio.create_task(_run_jobs(jobs, patience))
    logger.info("worker started")
    try:
        await Deliverer(outbound).run(stop, patience=patience)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    logger.info("worker stopped")


async def _run_jobs(jobs: App, patience: float) -> None:
    """procrastinate's own worker ends when it loses the database: then another one is started."""
    while True:
        try:
            async with jobs.open_async():
                await jobs.run_worker_async(
                    concurrency=_JOBS_AT_ONCE,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=patience,
                    delete_jobs="successful",
                )
        except (ConnectorException, Error, OSError) as error:
            logger.error("jobs wait for the database: %s", type(error).__name__)
        await asyncio.sleep(_AFTER_OUTAGE)
