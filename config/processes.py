"""Ties the life of a child process to its parent's, also when the parent is killed with SIGKILL."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# Loaded here and not in the child: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn`, or a call for the child's first line: when the parent ends, the child gets the signal.

    The kernel watches the parent's *thread*: start such children from a thread that lasts. Linux only;
    elsewhere it does nothing.
    """
    parent = os.getpid()

    def in_child() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # It died before the call above.
            os.kill(os.getpid(), death_signal)

    return in_child
