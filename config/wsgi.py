"""The WSGI application, for `config.web` or any other server."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.urls import get_resolver

from config import database, env

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def accept_chunked(application: WSGIApplication) -> WSGIApplication:
    """Django reads no body that has no length. Give a chunked one the most that is accepted.

    Reading ends where the body does. What reads it has to refuse more than MAX_BODY_BYTES, and takes
    `CONTENT_LENGTH` for unknown while `ocp.body_length_unknown` is set.
    """

    def with_length(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        # Only where the server says that reading ends with the body, and would not block.
        if is_chunked and not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated"):
            environ["CONTENT_LENGTH"] = str(env.MAX_BODY_BYTES + 1)
            environ["ocp.body_length_unknown"] = True
        return application(environ, start_response)

    return with_length


def _warm_up() -> None:
    """Import what the first request would, and spare requests what none of them needs."""
    # The database's connection is looked at when a request ends; there is no cache.
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_caches)
    _ = get_resolver().url_patterns
    # The collector never looks at what is there by now.
    gc.collect()
    gc.freeze()


if not env.DATABASE_URL:
    database.start(env.DATA_DIR)
application = accept_chunked(get_wsgi_application())
_warm_up()
