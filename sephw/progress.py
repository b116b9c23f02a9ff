"""Progress messages on stderr while a command works; none of it reaches a result.

Every step of every command goes through `Progress.step`. On a terminal the running step has a line
that moves; elsewhere a line follows after 2 s, and again after longer and longer pauses. Without
`rich`, as beside a board's driver, a terminal is as any other stream.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# A step that takes longer says so, and then again after so many seconds; the last pause repeats.
FIRST_SECONDS = 2.0
_PAUSES = (8.0, 20.0, 30.0, 60.0)
# A note "… (3 of 8)" says how far the step is.
_COUNT = re.compile(r"\((\d[\d,]*) of (\d[\d,]*)\)$")
_DURATIONS = "durations.json"
_MOST_DURATIONS = 500


def span(seconds: float) -> str:
    """'7 s', '3 min 5 s' or '2 h 10 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@dataclass(frozen=True)
class Durations:
    """The last durations of steps, in the user's cache: estimates for the next time."""

    path: Path

    @classmethod
    def of_user(cls) -> Durations | None:
        """The user's own; None in a driver that goes without the package."""
        try:
            from sephw.tools.user_folders import cache_folder
        except ImportError:
            return None
        return cls(cache_folder() / _DURATIONS)

    def seconds(self, key: str) -> float | None:
        """The last duration of `key` in seconds; None where it is unknown."""
        found = self._read().get(key)
        return float(found) if isinstance(found, int | float) else None

    def keep(self, key: str, seconds: float) -> None:
        """Store a duration where that is possible; the oldest ones are dropped."""
        known = self._read()
        known.pop(key, None)
        known[key] = round(seconds, 1)
        latest = dict(list(known.items())[-_MOST_DURATIONS:])
        partial = self.path.with_name(f".{os.getpid()}.{_DURATIONS}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(latest), encoding="utf-8")
            partial.replace(self.path)
        except OSError:
            return

    def _read(self) -> dict[str, object]:
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


@dataclass
class _Step:
    """The running step. `clock` in seconds; `note` is what it said last."""

    label: str
    before: float | None
    clock: Callable[[], float]
    began: float = 0.0
    note: str = ""
    first_share: float = 0.0
    first_at: float = 0.0
    share: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def elapsed(self) -> float:
        return self.clock() - self.began

    def take_note(self, note: str) -> None:
        """Take a note; a count in it is the share that is done, until a note without one."""
        self.note = note
        found = _COUNT.search(note)
        done, total = (int(text.replace(",", "")) for text in found.groups()) if found else (0, 0)
        share = min(1.0, done / total) if total else 0.0
        if not total or not self.first_at or share < self.share:
            self.first_share, self.first_at = share, self.clock() if total else 0.0
        self.share = share

    def left(self) -> str:
        """', about 5 s left', or '' where nothing tells."""
        if self.before is not None and self.before > self.elapsed:
            return f", about {span(self.before - self.elapsed)} left as last time"
        if self.share > self.first_share:
            # From the first count on: what lies before may have another pace.
            pace = (self.clock() - self.first_at) / (self.share - self.first_share)
            return f", about {span(pace * (1 - self.share))} left"
        return "" if self.before is None else ", longer than last time"

    def text(self) -> str:
        """The running step, its elapsed time and its progress."""
        note = f"; {self.note}" if self.note else ""
        return f"{self.label} ...  {span(self.elapsed)} so far{self.left()}{note}"


class Progress:
    """Steps of one command: a line for each that is finished, with its seconds.

    `steps`: how many there will be (0: not known); `about` what is worked on, so that durations of
    other networks are not taken for estimates. `quiet` leaves notes only.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        quiet: bool = False,
        steps: int = 0,
        about: str = "",
        durations: Durations | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self.quiet, self.steps, self.about = quiet, steps, about
        self._durations = durations or Durations.of_user()
        self._clock = clock
        self._done = 0
        self._step: _Step | None = None
        self._console: Console | None = None  # while a line of it moves

    @contextmanager
    def step(self, name: str, what: str, *, ends: bool = True) -> Iterator[None]:
        """Show that `name` runs; after it its seconds, where `ends` (else the command says it)."""
        if self.quiet:
            yield
            return
        self._done += 1
        count = f"{self._done}/{max(self._done, self.steps)} " if self.steps else ""
        label = f"{count}{name:8} {what}"
        memory = f"{name}|{what}|{self.about}"
        before = None if self._durations is None else self._durations.seconds(memory)
        step = _Step(label, before, self._clock)
        outer, self._step = self._step, step
        try:
            with self._shown(step):
                yield
        finally:
            self._step = outer
        seconds = step.elapsed
        if ends:
            self._line(f"{label}  {seconds:.1f} s")
        if seconds >= FIRST_SECONDS and self._durations is not None:
            self._durations.keep(memory, seconds)

    def update(self, note: str) -> None:
        """Say how far the running step is; '(3 of 8)' at its end gives the estimate."""
        if self._step is not None:
            self._step.take_note(note)

    def count(self, done: int, total: int) -> None:
        """Say that `done` of `total` things are done."""
        self.update(f"({done:,} of {total:,})")

    def warn(self, text: str) -> None:
        """A line that is not about time."""
        self._line(f"note: {text}")

    @contextmanager
    def _shown(self, step: _Step) -> Iterator[None]:
        console = self._terminal()
        if console is not None and self._console is None:
            self._console = console
            try:
                with _live(step, console):
                    yield
            finally:
                self._console = None
            return
        over = threading.Event()
        teller = threading.Thread(target=self._tell, args=(step, over), daemon=True)
        teller.start()
        try:
            yield
        finally:
            over.set()
            teller.join()

    def _tell(self, step: _Step, over: threading.Event) -> None:
        for pause in (FIRST_SECONDS, *_PAUSES):
            if over.wait(pause):
                return
            self._line(step.text())
        while not over.wait(_PAUSES[-1]):
            self._line(step.text())

    def _terminal(self) -> Console | None:
        """A console where the stream is a terminal that can move a line."""
        stream = self._stream or sys.stderr
        if not stream.isatty():
            return None
        try:
            from rich.console import Console
        except ImportError:
            return None
        console = Console(file=stream, highlight=False)
        return console if console.is_terminal and not console.is_dumb_terminal else None

    def _line(self, text: str) -> None:
        """One whole line, at once."""
        if self._console is not None:
            self._console.print(text, markup=False, soft_wrap=True)
            return
        stream = self._stream or sys.stderr
        stream.write(f"{text}\n")
        stream.flush()


def _live(step: _Step, console: Console) -> Any:
    """A line that moves while the context lasts; what is printed to stdout stays there."""
    from rich.live import Live

    return Live(
        _Moving(step), console=console, transient=True, refresh_per_second=8, redirect_stdout=False
    )


class _Moving:
    """A step as `rich` draws it again and again."""

    def __init__(self, step: _Step) -> None:
        from rich.spinner import Spinner

        self._step, self._spinner = step, Spinner("dots")

    def __rich__(self) -> Any:
        from rich.text import Text

        self._spinner.update(text=Text(self._step.text(), no_wrap=True, overflow="ellipsis"))
        return self._spinner
