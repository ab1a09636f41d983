"""The web server: `python -m config.web`. Every way to start the project starts this one."""

from __future__ import annotations

import os
import signal
import socket
from functools import partial
from importlib import import_module
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from config import env
from config.errors import SettingError
from config.processes import die_with_parent


def require_free_port(host: str, port: int) -> None:
    """Raises SettingError. Without it a second server would share the port, and take half of the requests."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingError(
                f"Port {port} of {host} can't be used ({error.strerror}): set PORT to another, "
                f"such as PORT={port + 1}."
            ) from error


def serve(module: str = "config.wsgi") -> None:
    """Serve the module's `application` until SIGINT or SIGTERM."""
    require_free_port(env.HOST, env.PORT)
    # Once, before the workers are forked: they share its memory, start in an instant, and what keeps the
    # service from starting is said once.
    import_module(module)
    server = Granian(
        f"{module}:application",
        address=env.HOST,
        port=env.PORT,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=env.WEB_WORKERS,
        blocking_threads=env.WEB_THREADS,
        respawn_failed_workers=True,
        # A request that runs for longer than this when the server is told to stop is cut off.
        workers_kill_timeout=2,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=partial(_application, module, os.getpid()), wrap_loader=False)


def _application(module: str, parent: int) -> Any:
    """In a worker. Granian's workers outlive a main process that was killed, and keep the port."""
    die_with_parent(parent, signal.SIGKILL)
    # Until granian sets its own, a worker has the main process's handlers, which do nothing here: told to
    # stop before that, it would be waited for in vain.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Ctrl-C reaches the main process too, which passes it on as SIGTERM. Of two signals at once a worker
    # hangs, until it is killed.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    return import_module(module).application


if __name__ == "__main__":
    serve()
