"""What a person sees on stderr while an export runs; none of it reaches the written files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class Progress:
    """One spinner per running step on a terminal, one line with seconds per finished one."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._status: Status | None = None
        self._label = ""

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[None]:
        """Show that `name` runs; after it its seconds."""
        began = time.monotonic()
        self._label = f"{name:8} {what}"
        if self.console.is_terminal:
            try:
                with self.console.status(self._label) as self._status:
                    yield
            finally:
                self._status = None
        else:
            yield
        self._line(f"{self._label}  {time.monotonic() - began:.1f} s")

    def update(self, note: str) -> None:
        """Say how far the running step is."""
        if self._status is not None:
            self._status.update(f"{self._label} ({note})")

    def warn(self, text: str) -> None:
        """A line that is not about time."""
        self._line(f"note: {text}")

    def _line(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)
