"""Which request a log line belongs to."""

import logging
from contextvars import ContextVar

# For the log alone: nothing else reads it.
request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True
