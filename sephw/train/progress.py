"""Output of `sephw train`: results as lines on stdout, running epochs by `sephw.progress`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from sephw.progress import Progress


class Reporter:
    """Lines on stdout, progress on stderr; `silent` prints nothing (a process that follows)."""

    def __init__(
        self,
        progress: Progress | None = None,
        *,
        silent: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        self.progress = progress or Progress(quiet=True)
        self._silent, self._stream = silent, stream

    def line(self, text: str) -> None:
        """One line of plain text, whole and at once."""
        if not self._silent:
            stream = self._stream or sys.stdout
            stream.write(f"{text}\n")
            stream.flush()

    def notes(self, notes: Iterable[str]) -> None:
        """Lines that a person should know of the data."""
        for note in notes:
            self.line(f"note: {note}")

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[Callable[[int, int, str], None]]:
        """A running step; what it yields takes (done, total, a note)."""

        def report_progress(done: int, total: int, note: str) -> None:
            self.progress.update(f"{note} ({done:,} of {total:,})")

        with self.progress.step(name, what, ends=False):  # a line on stdout follows
            yield report_progress
