"""Every shipped model at several foldings: all representations equal, RTL cycles as simulated.

    python -m benchmarks.foldings [--model NAME ...] [--cifar PATH] [--fashion PATH] [--samples N]

Exports each model with --fold fast and at every examples/foldings/NAME_*.json, with all
steps, and writes reports/published/foldings.json and foldings.md. Ends with status 1 where
anything differs.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "reports" / "published"
MODELS = ("mnist5k", "fashion-mnist", "cifar10")


@dataclass(frozen=True)
class Run:
    """What one export found."""

    model: str
    folding: str
    data: str
    images: int
    engines: int
    representations: str
    elements: int
    mismatches: int
    beat_cycles: int
    beat_cycle_mismatches: int
    frame_interval_cycles: int
    latency_alone_cycles: int
    latency_paced_cycles: int


def export(model: str, folding: Path | None, data: str | None, samples: int) -> Run:
    """Export with all steps into a temporary folder."""
    from sephw.export.pipeline import export_model
    from sephw.export.settings import FAST, SEARCH, ExportSettings
    from sephw.progress import Progress
    from sephw.targets import DEFAULT_TARGET, find_target

    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        settings = ExportSettings(
            model=ROOT / "models" / f"{model}.pth",
            out=Path(folder) / "export",
            target=find_target(DEFAULT_TARGET),
            data=data,
            samples=samples,
            folding=folding,
            fold=FAST if folding is None else SEARCH,
            allow_misfit=True,
        )
        outcome = export_model(settings, Progress())
    found, report = outcome.verification, outcome.report
    assert found is not None and report is not None
    beats = [c for c in found.checks if c.representation == "rtlsim-cycles"]
    values = [c for c in found.checks if c.representation != "rtlsim-cycles"]
    totals = {total.name: int(total.figure.value) for total in report.totals}
    return Run(
        model=model,
        folding="--fold fast" if folding is None else folding.stem.removeprefix(f"{model}_"),
        data=found.data,
        images=len(found.samples),
        engines=len(outcome.graph.nodes),
        representations=", ".join(found.representations),
        elements=sum(c.elements for c in values),
        mismatches=sum(c.mismatches for c in values),
        beat_cycles=sum(c.elements for c in beats),
        beat_cycle_mismatches=sum(c.mismatches for c in beats),
        frame_interval_cycles=totals["frame_interval"],
        latency_alone_cycles=totals["latency_alone_first_output"],
        latency_paced_cycles=totals["latency_paced_first_output"],
    )


def render(runs: list[Run]) -> str:
    """The published page."""
    lines = [
        "# Foldings: every representation, every layer, every beat",
        "",
        "Made by `python -m benchmarks.foldings`. Integers compared with `==` between "
        f"{runs[0].representations}; beat cycles between the RTL simulation and the cycle "
        "simulator, with random pauses of source and sink in the first half of each run. Latency "
        "from the first beat in to the first beat out [simulated], of a frame alone (each beat "
        "offered as soon as it is taken) and paced (beats spread evenly over the frame interval).",
        "",
        "| model | folding | data | images | engines | integers compared | differ "
        "| beat cycles compared | differ | frame interval, cycles "
        "| latency alone, cycles | latency paced, cycles |",
        "|" + "---|" * 12,
    ]
    lines += [
        f"| {r.model} | {r.folding} | {r.data} | {r.images} | {r.engines} | {r.elements:,} "
        f"| {r.mismatches} | {r.beat_cycles:,} | {r.beat_cycle_mismatches} "
        f"| {r.frame_interval_cycles:,} | {r.latency_alone_cycles:,} "
        f"| {r.latency_paced_cycles:,} |"
        for r in runs
    ]
    return "\n".join([*lines, ""])


@click.command()
@click.option("--model", "models", multiple=True, default=MODELS, help="Shipped model.")
@click.option("--cifar", metavar="PATH", help="CIFAR-10 images; noise if not given.")
@click.option("--fashion", metavar="PATH", help="Fashion-MNIST files; noise if not given.")
@click.option("--samples", default=8, show_default=True, help="Real images per export.")
def main(models: tuple[str, ...], cifar: str | None, fashion: str | None, samples: int) -> None:
    """Export, compare, publish."""
    data = {"mnist5k": None, "cifar10": cifar or "random", "fashion-mnist": fashion or "random"}
    runs = []
    for model in models:
        files = sorted((ROOT / "examples" / "foldings").glob(f"{model}_*.json"))
        for folding in (None, *files):
            click.echo(f"{model}, {folding.name if folding else '--fold fast'}", err=True)
            runs.append(export(model, folding, data[model], samples))
    PUBLISHED.mkdir(exist_ok=True)
    text = json.dumps({"runs": [asdict(run) for run in runs]}, indent=2)
    (PUBLISHED / "foldings.json").write_text(text + "\n")
    (PUBLISHED / "foldings.md").write_text(render(runs))
    click.echo(render(runs))
    if any(run.mismatches or run.beat_cycle_mismatches for run in runs):
        sys.exit(1)


if __name__ == "__main__":
    main()
