"""RTL simulation: an exported SystemVerilog project built with Verilator and run on images."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sephw.backends.layout import Layout, StreamInfo, read_stream_list
from sephw.backends.rtl.beats import pack, unpack, words_per_beat
from sephw.backends.rtl.project import FILE_LIST, TESTBENCH, constant_file
from sephw.errors import SephwError
from sephw.ir import Integers
from sephw.ir.pace import combined, pace_pattern
from sephw.tools.process import run
from sephw.tools.verilator import build

_PURPOSE = "RTL simulation"
Pattern = NDArray[np.bool_]


@dataclass(frozen=True)
class ResetPulse:
    """A reset in the midst of a run: in cycle ``at_cycle``, for ``cycles`` cycles, at least 1.

    Cycle 0 is the first one after the reset before.
    """

    at_cycle: int
    cycles: int


@dataclass(frozen=True)
class RunSettings:
    """The settings of a simulation.

    ``folder`` holds inputs and patterns and receives the records.
    """

    folder: Path
    frames: int
    quiet_limit_cycles: int
    clock_ns: float
    check_stable: bool
    resets: tuple[ResetPulse, ...]
    seed: int
    trace: Path | None


@dataclass(frozen=True, eq=False)
class RtlRun:
    """The result of one run by tensor: ``values`` int64 (N, h, w, c), ``pops`` int64 (N·words,).

    ``pops`` are the cycles in which the beats were taken; cycle 0 is the first without reset.
    """

    values: dict[str, Integers]
    pops: dict[str, Integers]


@dataclass(frozen=True, eq=False)
class CompiledRtl:
    """A project's testbench, built by one simulator. The program goes with this object.

    ``_command``: the words that run it, in the project's own directory.
    """

    name: str
    layout: Layout
    _directory: Path
    _command: Callable[[RunSettings], list[str]]
    _build: tempfile.TemporaryDirectory[str]
    _purpose: str = _PURPOSE

    @property
    def streams(self) -> tuple[StreamInfo, ...]:
        """All streams, inputs first."""
        return tuple(self.layout.streams.values())

    def run(
        self,
        images: NDArray[np.integer] | Mapping[str, Integers],
        *,
        source_gaps: Pattern | Mapping[str, Pattern] | None = None,
        sink_stalls: Pattern | Mapping[str, Pattern] | None = None,
        quiet_limit_cycles: int = 1_000_000,
        clock_ns: float = 10.0,
        check_stable: bool = False,
        trace: Path | None = None,
        resets: Sequence[ResetPulse] = (),
        seed: int = 1,
    ) -> RtlRun:
        """Simulate frame after frame.

        ``images`` integers (N, H, W, C), of several inputs by tensor; the project knows what
        constant inputs bring. In cycle c a source may begin to offer a beat only if
        ``source_gaps[c % len]``, and once offered it stays, as far as its own pace allows; a sink
        is ready only if ``sink_stalls[c % len]``; None: always; one pattern for all ends or by
        tensor. After each of ``resets`` all frames begin anew; what is found follows the last one.
        Registers start at random, drawn from ``seed``, and one cycle of reset ends that.
        ``check_stable`` checks that a waiting beat never changes. ``trace`` is a VCD file to write
        (needs a project compiled with ``trace=True``).
        Raises SephwError for images of another shape or range, for a network that stalls or moves
        beats that are none of its frames, and for a waiting beat that changes.
        """
        layout = self.layout
        given = images if isinstance(images, Mapping) else {layout.input: images}
        frames = {name: self._checked(name, given[name]) for name in layout.data_inputs}
        count = {len(values) for values in frames.values()}
        if len(count) != 1:
            raise SephwError(f"{self._purpose} of '{self.name}': inputs of {sorted(count)} frames")
        with tempfile.TemporaryDirectory(prefix="sephw_rtlsim_") as made:
            folder = Path(made)
            for index, name in enumerate(layout.inputs):
                if name in frames:
                    words = pack(frames[name], layout.streams[name])
                    (folder / f"input_{index}.bin").write_bytes(words.astype("<u4").tobytes())
                else:
                    shutil.copyfile(
                        constant_file(self._directory, index), folder / f"input_{index}.bin"
                    )
            for stem, names, patterns in (
                ("source", layout.inputs, source_gaps),
                ("sink", layout.outputs, sink_stalls),
            ):
                _write_patterns(folder, stem, [layout.streams[n] for n in names], patterns)
            settings = RunSettings(
                folder,
                count.pop(),
                quiet_limit_cycles,
                clock_ns,
                check_stable,
                tuple(resets),
                seed,
                None if trace is None else trace.resolve(),
            )
            # Memory files are named relative to the project.
            done = run(self._command(settings), directory=self._directory)
            if done.returncode != 0:
                lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
                raise SephwError(f"{self._purpose} of '{self.name}': {lines[-1]}")
            return self._read(folder, len(next(iter(frames.values()))))

    def _read(self, folder: Path, frames: int) -> RtlRun:
        values, pops = {}, {}
        for index, stream in enumerate(self.streams):
            record = np.dtype([("cycle", "<u8"), ("words", "<u4", (words_per_beat(stream),))])
            beats = np.fromfile(folder / f"stream_{index}.bin", record)
            if len(beats) != frames * stream.words:
                raise SephwError(
                    f"{self._purpose} of '{self.name}': stream '{stream.tensor}' moved "
                    f"{len(beats)} beats, expected {frames * stream.words}"
                )
            values[stream.tensor] = unpack(beats["words"], stream)
            pops[stream.tensor] = beats["cycle"].astype(np.int64)
        return RtlRun(values, pops)

    def _checked(self, name: str, images: NDArray[np.integer]) -> Integers:
        stream = self.layout.streams[name]
        if images.shape[1:] != stream.shape:
            raise SephwError(
                f"{self._purpose} of '{self.name}': images of shape {images.shape[1:]}, "
                f"the input takes {stream.shape}"
            )
        frames = np.ascontiguousarray(images, dtype=np.int64)
        dtype = stream.dtype
        if frames.size and (frames.min() < dtype.min or frames.max() > dtype.max):
            raise SephwError(
                f"{self._purpose} of '{self.name}': image values {frames.min()}..{frames.max()}, "
                f"the input takes {dtype.min}..{dtype.max}"
            )
        return frames


def compile_project(
    directory: Path, *, trace: bool = False, purpose: str = _PURPOSE, optimize: bool = True
) -> CompiledRtl:
    """Build an exported project's testbench; nothing is written to ``directory``.

    ``trace`` makes it able to write VCD files; ``purpose`` begins messages; ``optimize`` False
    takes less time to build and more to run. Raises SephwError if it
    is no project, if Verilator or a compiler is missing, or with their first error line.
    """
    directory = directory.resolve()
    layout = read_stream_list(directory, "RTL")
    made = tempfile.TemporaryDirectory(prefix="sephw_rtlsim_")
    try:
        files = (directory / FILE_LIST).read_text(encoding="utf-8").split()
        program = build(
            [*files, TESTBENCH],
            layout.project,
            directory,
            Path(made.name),
            purpose=purpose,
            trace=trace,
            optimize=optimize,
        )
    except BaseException:
        made.cleanup()
        raise
    command = partial(_command, program)
    return CompiledRtl(layout.project, layout, directory, command, made, purpose)


def _command(program: Path, settings: RunSettings) -> list[str]:
    words: list[str | Path | int] = [
        program,
        settings.folder,
        "--frames",
        settings.frames,
        "--record",
        settings.folder,
        "--quiet-limit",
        settings.quiet_limit_cycles,
        "--clock-ps",
        round(settings.clock_ns * 1000),
        "--seed",
        settings.seed,
    ]
    for pulse in settings.resets:
        words += ["--reset", f"{pulse.at_cycle}:{pulse.cycles}"]
    if settings.check_stable:
        words.append("--check-stable")
    if settings.trace is not None:
        words += ["--vcd", settings.trace]
    return [str(word) for word in words]


def _write_patterns(
    folder: Path,
    stem: str,
    streams: Sequence[StreamInfo],
    patterns: Pattern | Mapping[str, Pattern] | None,
) -> None:
    for index, stream in enumerate(streams):
        given = patterns.get(stream.tensor) if isinstance(patterns, Mapping) else patterns
        pattern = combined(given, pace_pattern(stream.source_beats, stream.source_cycles))
        if pattern is None:
            continue
        if not np.any(pattern):
            raise SephwError(f"{_PURPOSE}: the pattern of '{stream.tensor}' is never up")
        (folder / f"{stem}_{index}.bin").write_bytes(pattern.astype(np.uint8).tobytes())
