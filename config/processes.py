"""Ties the life of a child process to its parent's, also when the parent is killed with SIGKILL."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Loaded here and not in the child: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent: int, death_signal: signal.Signals) -> None:
    """Called in the child: when the parent ends, the kernel sends it the signal. Linux only, else nothing.

    What counts is the end of the parent's *thread* that made the child: make such children in one that lasts.
    """
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != parent:  # It ended before the call above.
        os.kill(os.getpid(), death_signal)
