"""Wall time of an export by step, C-simulated frames per second, import time of sephw.

    python -m benchmarks.export_time [--cifar PATH] [--fashion PATH] [--runs N]

Writes reports/published/export_time.json and export_time.md. Each step's figure is the fastest of
the runs in one process, each of which builds its simulations; machines differ and are noisy, so
read the ratios between steps rather than the seconds.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "reports" / "published"


@dataclass(frozen=True)
class ModelTimes:
    """Seconds by step, fastest of the runs, and C-simulated frames per second."""

    model: str
    engines: int
    exact: bool
    images: int
    macs_per_frame: int
    step_s: dict[str, float]
    total_s: float
    csim_frames_per_s: float


def import_seconds(runs: int) -> float:
    """Median seconds that `import sephw` adds to starting the interpreter."""

    def once(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        return time.perf_counter() - began

    return float(np.median([once("import sephw") - once("pass") for _ in range(runs)]))


def measure(model: Path, data: str | None, samples: int, runs: int) -> ModelTimes:
    """Export `model` `runs` times into a temporary folder and time it."""
    from sephw.backends.hls4ml import compile_project
    from sephw.export.pipeline import ExportOutcome, export_model
    from sephw.export.settings import FAST, ExportSettings, default_steps
    from sephw.progress import Progress
    from sephw.targets import DEFAULT_TARGET, find_target
    from sephw.tools.file_cache import PROGRAMS, FileCache

    class Recorder(Progress):
        def __init__(self) -> None:
            super().__init__()
            self.seconds: dict[str, float] = {}

        @contextmanager
        def step(self, name: str, what: str, *, ends: bool = True) -> Iterator[None]:
            began = time.perf_counter()
            yield
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    best: dict[str, float] = {}
    totals: list[float] = []
    outcome: ExportOutcome | None = None
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        out = Path(folder) / "export"
        target = find_target(DEFAULT_TARGET)
        settings = ExportSettings(
            model=model,
            out=out,
            target=target,
            data=data,
            samples=samples,
            steps=default_steps(target),
            fold=FAST,
        )
        for _ in range(runs):
            # Every run builds its simulations; Verilator's own part may be kept.
            shutil.rmtree(FileCache.of_user(PROGRAMS).folder, ignore_errors=True)
            recorder = Recorder()
            began = time.perf_counter()
            outcome = export_model(settings, recorder)
            totals.append(time.perf_counter() - began)
            for name, seconds in recorder.seconds.items():
                best[name] = min(best.get(name, seconds), seconds)
        assert outcome is not None and outcome.verification is not None
        compiled = compile_project(out / "hls")
        (name,) = outcome.graph.inputs
        shape = outcome.graph.tensors[name].shape
        images = np.random.default_rng(0).integers(0, 256, (samples, *shape), np.int64)
        compiled.run(images[:1])
        began = time.perf_counter()
        compiled.run(images)
        rate = samples / (time.perf_counter() - began)
    work = [node.operator.work for node in outcome.graph.nodes]
    return ModelTimes(
        model=model.stem,
        engines=len(outcome.graph.nodes),
        exact=outcome.verification.exact,
        images=len(outcome.verification.samples),
        macs_per_frame=sum(w.macs_1bit + w.macs_8bit for w in work),
        step_s={k: round(v, 2) for k, v in best.items()},
        total_s=round(min(totals), 2),
        csim_frames_per_s=round(rate, 1),
    )


def render(import_s: float, rows: list[ModelTimes], runs: int) -> str:
    """The published page."""
    steps = list(rows[0].step_s)
    lines = [
        "# Export wall time",
        "",
        f"Measured on {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}; fastest of {runs} runs in one process. "
        "Regenerate: `python -m benchmarks.export_time`.",
        "",
        f"`import sephw` alone: {import_s:.3f} s (target 0.3 s).",
        "",
        "| model | engines | MAC/frame | images | exact | "
        + " | ".join(f"{s}, s" for s in steps)
        + " | total, s | C-simulation, frames/s |",
        "|" + "---|" * (7 + len(steps)),
    ]
    for row in rows:
        cells = " | ".join(f"{row.step_s[s]:.1f}" for s in steps)
        lines.append(
            f"| {row.model} | {row.engines} | {row.macs_per_frame:,} | {row.images} "
            f"| {'yes' if row.exact else 'NO'} | {cells} | {row.total_s:.1f} "
            f"| {row.csim_frames_per_s:g} |"
        )
    lines += [
        "",
        "`build` compiles the C-simulation with g++ and the RTL simulation with Verilator, side "
        "by side; `verify` runs torch, the QONNX executor, the integer reference, the "
        "C-simulation and the RTL simulation on all images and compares every layer and every "
        "beat's cycle. C-simulation frames/s are with every stream traced.",
        "",
    ]
    return "\n".join(lines)


@click.command()
@click.option("--cifar", metavar="PATH", help="CIFAR-10 images; noise if not given.")
@click.option("--fashion", metavar="PATH", help="Fashion-MNIST files; noise if not given.")
@click.option("--samples", default=64, show_default=True, help="Real images per export.")
@click.option("--runs", default=2, show_default=True, help="Exports per model.")
def main(cifar: str | None, fashion: str | None, samples: int, runs: int) -> None:
    """Measure the shipped models and publish the result."""
    sources = {
        "mnist5k": None,
        "fashion-mnist": fashion or "random",
        "cifar10": cifar or "random",
    }
    rows = []
    for name, data in sources.items():
        click.echo(f"measuring {name} ...", err=True)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            rows.append(measure(ROOT / "models" / f"{name}.pth", data, samples, runs))
    import_s = import_seconds(5)
    PUBLISHED.mkdir(exist_ok=True)
    figures = {"import_s": round(import_s, 3), "models": [asdict(row) for row in rows]}
    (PUBLISHED / "export_time.json").write_text(json.dumps(figures, indent=2) + "\n")
    text = render(import_s, rows, runs)
    (PUBLISHED / "export_time.md").write_text(text)
    click.echo(text)


if __name__ == "__main__":
    main()
