"""The cycle simulator against Verilator: the same cycles, and the time each takes for them.

    python -m benchmarks.simulator_speed [--frames N ...] [--no-verilator]

Writes reports/published/simulator_speed.json and simulator_speed.md. Networks: the shipped
mnist5k and cifar10, on random images (values do not matter for speed). Times are CPU seconds of
one thread, the simulator's fastest of five runs: wall time on a busy machine says little. The
Verilator run records every stream, as the verification of an export does.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "reports" / "published"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Speed:
    """CPU seconds for ``frames`` frames; Verilator's are None where it was not asked for."""

    network: str
    engines: int
    frames: int
    cycles: int
    beats: int
    sizing_s: float
    one_frame_s: float
    cycles_s: float
    simulated_frames: int
    hundred_frames_s: float
    activity_s: float
    values_s: float
    verilator_build_s: float | None
    verilator_s: float | None
    equal: bool | None

    @property
    def ratio(self) -> float | None:
        """Verilator's time over the simulator's, for the cycles of all beats."""
        return None if self.verilator_s is None else self.verilator_s / self.cycles_s


def cpu(action: Callable[[], _T], runs: int = 1) -> tuple[float, _T]:
    """(CPU seconds, fastest of the runs, of this process; the result)."""
    best = float("inf")
    for _ in range(runs):
        began = time.process_time()
        result = action()
        best = min(best, time.process_time() - began)
    return best, result


def children(action: Callable[[], _T]) -> tuple[float, _T]:
    """(CPU seconds of the programs that ``action`` starts; its result)."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    began = used()
    result = action()
    return used() - began, result


def shipped(name: str) -> Any:
    """The hardware graph of a model in models/."""
    from sephw.checkpoint import load_checkpoint
    from sephw.export.lower import deploy_network

    checkpoint = load_checkpoint(ROOT / "models" / f"{name}.pth")
    arguments = checkpoint.arguments
    shape = [arguments[k] for k in ("in_channels", "height", "width")]
    return lowered(deploy_network(checkpoint), (shape[0], shape[1], shape[2]))


def lowered(deploy: Any, shape: tuple[int, int, int]) -> Any:
    """Deploy network to hardware graph, not folded yet."""
    from sephw.frontend import export_qonnx, read_qonnx

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_qonnx(deploy, path, shape)
        return read_qonnx(path).graph


def measure(name: str, graph: Any, frames: int, verilator: bool) -> Speed:
    """All times of one network; Verilator's cycles are compared with the simulator's."""
    from sephw.passes import FoldingFile, LoweringStage, lower
    from sephw.sim.activity import activity
    from sephw.sim.cycles import run, run_frames
    from sephw.sim.timing import size_fifos

    folded = lower(graph, FoldingFile({}, 32768), until=LoweringStage.WIDTH_CONVERTERS)
    sizing_s, sized = cpu(lambda: size_fifos(folded))
    shape = sized.tensors[sized.inputs[0]].shape
    images = np.random.default_rng(0).integers(0, 256, (frames, *shape), np.int64)
    run_frames(sized, 1)
    one_frame_s, _ = cpu(lambda: run_frames(sized, 1), 5)
    cycles_s, found = cpu(lambda: run_frames(sized, frames), 5)
    hundred_s, _ = cpu(lambda: run_frames(sized, 100).frame_ends, 3)
    activity_s, _ = cpu(lambda: activity(found))
    values_s, _ = cpu(lambda: run(sized, images).values)
    build_s = verilator_s = equal = None
    if verilator:
        from sephw.backends.rtl import compile_project, write_project

        golden = sized.run(images)
        with tempfile.TemporaryDirectory() as folder:
            write_project(
                sized,
                Path(folder) / "rtl",
                samples={sized.inputs[0]: images},
                golden={t: golden[t] for t in sized.outputs},
            )
            build_s, compiled = children(lambda: compile_project(Path(folder) / "rtl"))
            verilator_s, seen = children(lambda: compiled.run(images))
        equal = all(np.array_equal(seen.pops[t], found.pops[t]) for t in sized.tensors)
        equal = equal and all(np.array_equal(seen.values[t], golden[t]) for t in sized.tensors)
        if not equal:
            raise SystemExit(f"{name}: the simulator and the RTL differ")
    return Speed(
        network=name,
        engines=len(sized.nodes),
        frames=frames,
        cycles=found.cycles,
        beats=sum(found.network.words.values()) * frames,
        sizing_s=round(sizing_s, 3),
        one_frame_s=round(one_frame_s, 4),
        cycles_s=round(cycles_s, 4),
        simulated_frames=found.execution.simulated_frames,
        hundred_frames_s=round(hundred_s, 4),
        activity_s=round(activity_s, 3),
        values_s=round(values_s, 3),
        verilator_build_s=None if build_s is None else round(build_s, 1),
        verilator_s=None if verilator_s is None else round(verilator_s, 2),
        equal=equal,
    )


def render(rows: list[Speed]) -> str:
    """The published page."""
    lines = [
        "# Cycle simulator against Verilator",
        "",
        f"CPU seconds of one thread, {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}. Regenerate: `python -m benchmarks.simulator_speed`.",
        "",
        "| network | engines | frames | cycles | beats | simulator, s | Verilator, s | ratio "
        "| equal | settled after | 1 frame, s | 100 frames, s | values, s | stall causes, s "
        "| FIFO sizing, s | Verilator build, s |",
        "|" + "---|" * 16,
    ]
    for r in rows:
        ratio = "" if r.ratio is None else f"{r.ratio:.0f}"
        equal = "" if r.equal is None else "yes"
        lines.append(
            f"| {r.network} | {r.engines} | {r.frames} | {r.cycles:,} | {r.beats:,} "
            f"| {r.cycles_s:g} | {r.verilator_s or ''} | {ratio} | {equal} "
            f"| {r.simulated_frames} frames | {r.one_frame_s:g} | {r.hundred_frames_s:g} "
            f"| {r.values_s:g} | {r.activity_s:g} | {r.sizing_s:g} "
            f"| {r.verilator_build_s or ''} |"
        )
    lines += [
        "",
        "`simulator`: the cycle of every beat of every stream, from reset; `values`: the same "
        "with the integer reference of every stream. `equal`: the values of all streams and the "
        "cycle of every beat are the same in RTL. Frames after the network has settled repeat the "
        "one before; the simulator proves that and does not work them off, so the ratio grows "
        "with the number of frames, and is smallest for a single one. Verilator's time includes "
        "writing every stream to files, not its build.",
        "",
    ]
    return "\n".join(lines)


@click.command()
@click.option(
    "--frames", default=(6, 48), show_default=True, multiple=True, help="Frames per measurement."
)
@click.option("--verilator/--no-verilator", default=True, help="Also build and run the RTL.")
def main(frames: tuple[int, ...], verilator: bool) -> None:
    """Measure both networks and publish the result."""
    rows = []
    for name in ("mnist5k", "cifar10"):
        for count in frames:
            click.echo(f"measuring {name}, {count} frames ...", err=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows.append(measure(name, shipped(name), count, verilator))
            click.echo(render(rows[-1:]))
    PUBLISHED.mkdir(exist_ok=True)
    figures = {"networks": [asdict(row) for row in rows]}
    (PUBLISHED / "simulator_speed.json").write_text(json.dumps(figures, indent=2) + "\n")
    (PUBLISHED / "simulator_speed.md").write_text(render(rows))


if __name__ == "__main__":
    main()
