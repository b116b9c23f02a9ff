"""Signals that end the program within two seconds, at any moment, with nothing left behind.

A handler that raises would be lost in an import, in a callback or in a destructor. So a thread
waits for the signal, which reaches it whatever the main thread computes, has the children killed
and the unfinished files removed, and exits.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}
# With what `guard` takes less than two seconds.
_GRACE_SECONDS = 1.2
_SHOW_CURSOR = b"\x1b[?25h\r"

tidy: Callable[[], None] | None = None
"""What is done before the end, in a thread: `guard` sets it."""
main_thread_starts = False
"""Whether the main thread is between starting a child and noting it."""
_signal: int | None = None
_graceful = False
_is_program = False


def is_program() -> bool:
    """Whether this process is the program: `end_on_signals` was called, not merely imported."""
    return _is_program


def end_on_signals() -> None:
    """From now on SIGINT, SIGTERM and SIGHUP end this process with status 128 + signal.

    Signals that are ignored stay so (nohup, shells' background jobs). To be called in the main
    thread, once, before anything else.
    """
    global _is_program
    if _is_program or threading.current_thread() is not threading.main_thread():
        return
    _is_program = True
    numbers = [n for n in _SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    threading.Thread(target=_wait, args=(reader, frozenset(numbers)), daemon=True).start()
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, _block_main_thread)
    os.register_at_fork(after_in_child=_restore_handlers)


def leave(status: int) -> NoReturn:
    """Exit with ``status``, or with that of the signal that is ending the program.

    The interpreter's own shutdown, in which signals would be lost, is skipped.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    atexit._run_exitfuncs()
    os._exit(status if _signal is None else 128 + _signal)


@contextmanager
def graceful() -> Iterator[None]:
    """Within this context a signal raises KeyboardInterrupt in the main thread, which may save.

    The process ends all the same, little more than a second later.
    """
    global _graceful
    _graceful = True
    try:
        yield
    finally:
        _graceful = False


def _wait(reader: int, numbers: frozenset[int]) -> None:
    global _signal
    while True:
        number = os.read(reader, 1)[0]
        if number in numbers:
            break
    _signal = number
    silent = False
    if _graceful:
        time.sleep(_GRACE_SECONDS)
        silent = not _graceful  # it has said itself what it has saved
    _end(number, silent)


def _end(number: int, silent: bool) -> None:
    # Without Python's streams, whose locks may be held by a thread that stands still.
    cursor = _SHOW_CURSOR if os.isatty(2) else b""
    word = b"" if silent else f"sephw: {_WORDS[signal.Signals(number)]}\n".encode()
    with suppress(OSError):
        os.write(2, cursor + word)
    if tidy is not None:
        tidy()
    os._exit(128 + number)


def _block_main_thread(number: int, frame: FrameType | None) -> None:
    """Block the main thread until `_end` has ended the process."""
    if _graceful:
        raise KeyboardInterrupt
    while not main_thread_starts:
        time.sleep(_GRACE_SECONDS)


def _restore_handlers() -> None:
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        if signal.getsignal(number) is _block_main_thread:
            signal.signal(number, signal.SIG_DFL)
