"""Keeps a solver's own messages off standard output."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LOCK = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that C code prints meanwhile reaches standard output; Python's words before do.

    HiGHS 1.12 prints a line of its own now and then, whatever it is told (ERGO-Code/HiGHS, issue
    2783), and would spoil `--json`. One thread at a time; without a standard output nothing is
    done.
    """
    with _LOCK:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        library = ctypes.CDLL(None)
        try:
            kept = os.dup(1)
        except OSError:
            yield
            return
        try:
            library.fflush(None)
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, 1)
            os.close(sink)
            yield
        finally:
            library.fflush(None)  # C keeps what is printed until its buffer is full
            os.dup2(kept, 1)
            os.close(kept)
