"""Jobs that any one worker runs for all."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from oauth2_provider.models import clear_expired
from procrastinate.contrib.django import app


@app.periodic(cron="41 3 * * *")
@app.task(queueing_lock="clear_expired_tokens")
async def clear_expired_tokens(timestamp: int) -> None:
    """What has expired opens nothing; this keeps it from piling up."""
    await sync_to_async(clear_expired)()
