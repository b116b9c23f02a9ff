"""What a person sees while a network trains: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Reporter:
    """Prints to `console`; the bar exists only on a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._bar: Progress | None = None
        self._task: Any = None
        self._started = 0.0

    def line(self, text: str) -> None:
        """One line of plain text, whole and at once."""
        self.console.print(text, markup=False, soft_wrap=True)
        self.console.file.flush()

    def notes(self, notes: Iterable[str]) -> None:
        """Lines that a person should know of the data."""
        for note in notes:
            self.line(f"note: {note}")

    def begin(self, label: str, total: int) -> None:
        """Start a bar of `total` steps, replacing a running one."""
        self.end()
        self._started = time.monotonic()
        if not self.console.is_terminal:
            return
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        self._task = self._bar.add_task(label, total=total, note="")
        self._bar.start()

    def step(self, done: int, note: str = "") -> None:
        """Move the bar to `done` steps."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=note)

    def end(self) -> float:
        """Take the bar away; seconds since `begin`."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        return time.monotonic() - self._started

    def decoding(self, done: int, total: int) -> None:
        """Progress callback of `load_data`."""
        if self._bar is None and self.console.is_terminal:
            self.begin("decoding images", total)
        self.step(done)
        if done == total:
            self.end()
