"""Hosts on one machine: network namespaces, each with an address, joined by a bridge in one more.

The namespaces have no names: only descriptors and processes keep them, so that the kernel removes all of it
when this process and those that it started have ended, however they ended. Nothing leads out of them.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from config.processes import die_with_parent

SUBNET = "198.18.0.0/24"  # Set aside for tests of networks (RFC 2544).
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_OWN = "/proc/thread-self/ns/net"
_libc = ctypes.CDLL(None, use_errno=True)


def unavailable() -> str:
    """Why there can be no such hosts here; empty where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip"):
        return "ip is not installed: it is in the package iproute2"
    try:
        with Network() as network:
            network.host()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespaces here: {getattr(error, 'stderr', '') or error}"
    return ""


class Namespace:
    """Raises OSError where the kernel makes none."""

    def __init__(self) -> None:
        with _coming_back():
            _check(_libc.unshare(_NEW_NETWORK))
            self.descriptor = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread is there: sockets and processes that it makes stay there."""
        with _coming_back():
            _check(_libc.setns(self.descriptor, _NEW_NETWORK))
            yield

    def ip(self, *command: str) -> None:
        with self.entered():
            subprocess.run(["ip", *command], check=True, capture_output=True, text=True)


class Host(Namespace):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, log: Path, **options: Any) -> subprocess.Popen[bytes]:
        """A process on this host. What it says is added to the log."""
        with self.entered(), log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
                **options,
            )
        self.processes.append(process)
        return process

    def kill(self) -> None:
        """All that runs on it ends at once."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()

    def close(self) -> None:
        self.kill()
        os.close(self.descriptor)


class Network:
    """Removed, with all that runs in it, when the block ends."""

    def __init__(self) -> None:
        self.hosts: list[Host] = []

    def __enter__(self) -> Network:
        with ExitStack() as undo:
            self._switch = Namespace()
            undo.callback(os.close, self._switch.descriptor)
            self._switch.ip("link", "add", "bridge", "type", "bridge")
            self._switch.ip("link", "set", "bridge", "up")
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def host(self) -> Host:
        number = len(self.hosts) + 1
        host = Host(SUBNET.replace("0/24", str(number)))
        self._undo.callback(host.close)
        self.hosts.append(host)
        port = f"port{number}"
        self._switch.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", host.path)
        self._switch.ip("link", "set", port, "master", "bridge", "up")
        host.ip("link", "set", "lo", "up")
        host.ip("address", "add", f"{host.address}/24", "dev", "eth0")
        host.ip("link", "set", "eth0", "up")
        return host

    def cut_off(self, host: Host) -> None:
        """What it sends and what is sent to it is lost from now on. It is told nothing: its link stays up."""
        self._switch.ip("link", "set", self._port(host), "nomaster")

    def join_again(self, host: Host) -> None:
        self._switch.ip("link", "set", self._port(host), "master", "bridge")

    def _port(self, host: Host) -> str:
        return f"port{self.hosts.index(host) + 1}"


@contextmanager
def _coming_back() -> Iterator[None]:
    here = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _check(_libc.setns(here, _NEW_NETWORK))
        os.close(here)


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
