"""Every named network at its real size through `sephw export`: exact, how large, how long it takes.

    python -m benchmarks.networks [--network NAME ...] [--steps LIST] [--samples N] [--minutes M]

Each network gets seeded random weights (benchmarks/networks_checkpoint.py) and is exported in a
process of its own. Rows of former calls of the same network are replaced, others kept, in
reports/published/networks.json and networks.md. Ends with status 1 where a network is not exact.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from sephw.export_folder import ExportFolder
from sephw.ir.resources import RESOURCE_KINDS
from sephw.lifetime.ending import end_on_signals
from sephw.targets import DEVICES, find_target

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "reports" / "published"
TARGET = "zcu104"


@dataclass(frozen=True)
class Plan:
    """How a network is exported. ``frame_cycles``: the budget of the folding."""

    steps: str
    frame_cycles: int
    remark: str = ""


_ALL = "csim,rtlsim,report"
# The SystemVerilog of networks this large is written, not run: --steps csim,rtlsim,report runs it.
_LARGE = "csim,rtl,cyclesim,report"
# The activity of every engine over a settled frame takes longer than all else where there are
# hundreds of them; the frame interval is simulated all the same.
_LARGEST = "csim,rtl,report"
_OURS = "sizes and counts of modules are ours"
# Smallest first.
PLANS: Mapping[str, Plan] = {
    "SEPNet-CIFAR-S": Plan(_ALL, 32768, _OURS),
    "ResNet-20": Plan(_ALL, 32768),
    "ResNet-32": Plan(_ALL, 32768),
    "ResNet-44": Plan(_ALL, 32768),
    "ResNet-56": Plan(_ALL, 32768),
    "SEPNet-CIFAR-M": Plan(_ALL, 65536, _OURS),
    "SEPNet-CIFAR-L": Plan(_ALL, 131072, _OURS),
    "SEPNet-1.3M": Plan(
        _LARGE, 1_000_000, "reconstruction: the tail, the counts of modules, the ReLUs of a module"
    ),
    "SEPNet-full": Plan(
        _LARGE, 1_000_000, "reconstruction: the tail, the counts of modules, the ReLUs of a module"
    ),
    "GoogLeNet": Plan(
        _LARGEST, 2_000_000, "reconstruction: 3×3/2 max-pools with a padding of 1 for rounding up"
    ),
    "Inception": Plan(
        _LARGEST, 4_000_000, "ours, not the paper's: Inception v3's blocks, \"same\" padding"
    ),
}


@dataclass(frozen=True)
class Row:
    """One network. ``exact`` None: not verified. ``wall_s``, ``peak_mb``: of the export's process.

    ``steps_s``: seconds by step as it printed them. ``load``: the machine's load average before.
    """

    network: str
    remark: str
    input: tuple[int, int, int]
    target: str
    frame_cycles_wanted: int
    layers: int
    engines: int
    macs_1bit: int
    macs_8bit: int
    parameters: int
    patterns: int
    bytes_r: int
    bytes_b: int
    bytes_bq: int
    exact: bool | None
    representations: list[str]
    images: int
    compared: int
    differ: int
    written: list[str]
    frame_interval_cycles: int
    frames_per_s: float
    frames_per_s_link: float
    clock_mhz: float
    estimated: dict[str, int]
    available: dict[str, int]
    wall_s: float
    peak_mb: int
    load: float
    cores: int
    steps_s: dict[str, float] = field(default_factory=dict)


def run_child(arguments: list[str], minutes: float) -> tuple[int, str, float, int]:
    """(status, stderr, seconds, peak MB) of a Python process; the peak includes its children's.

    It finds no simulation that was built before. Terminated after ``minutes``.
    """
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryDirectory() as cache:
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, "XDG_CACHE_HOME": cache},
        )
        timer = threading.Timer(minutes * 60, child.terminate)
        timer.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.terminate()
            raise
        finally:
            timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        errors.seek(0)
        text = errors.read().decode("utf-8", "replace")
    return child.returncode, text, seconds, round(usage.ru_maxrss / 1024)


def step_seconds(text: str) -> dict[str, float]:
    """Seconds by step from the lines that an export prints."""
    lines = re.findall(r"^(?:\d+/\d+ )?(\w+) +\S.*  ([\d.]+) s$", text, re.MULTILINE)
    return {name: float(seconds) for name, seconds in lines}


def measure(name: str, plan: Plan, samples: int, minutes: float, folder: Path) -> Row:
    """Make the checkpoint, export it below ``folder``, read what it left."""
    model, folding, out = folder / f"{name}.pth", folder / "folding.json", folder / name
    status, text, _, _ = run_child(
        ["-m", "benchmarks.networks_checkpoint", name, str(model)], minutes
    )
    if status:
        raise click.ClickException(f"{name}: no checkpoint: {text.strip()}")
    folding.write_text(json.dumps({"frame_cycles": plan.frame_cycles}))
    load = round(os.getloadavg()[0], 1)
    status, text, seconds, peak = run_child(
        [
            "-m",
            "sephw",
            "export",
            str(model),
            "--data",
            "random",
            "--samples",
            str(samples),
            "--out",
            str(out),
            "--target",
            TARGET,
            "--folding",
            str(folding),
            "--steps",
            plan.steps,
            "--allow-misfit",
        ],
        minutes,
    )
    if status not in (0, 1):
        raise click.ClickException(f"{name}: status {status} after {seconds:.0f} s\n{text.strip()}")
    return read_export(name, plan, out, text, seconds, peak, load)


def read_export(
    name: str, plan: Plan, out: Path, text: str, seconds: float, peak_mb: int, load: float
) -> Row:
    """The row of a finished export."""
    export = ExportFolder.open(out)
    manifest, report = export.manifest, export.report()
    assert report is not None  # a step of every export here
    checks = export.verification() or {"layers": []}
    totals = {key: figure["value"] for key, figure in report["totals"].items()}
    estimated = report["resources"]["estimated"]
    arguments = manifest["model"]["arguments"]
    weighted = [
        layer
        for layer in report["layers"]
        if layer["weights_1bit"]["value"] or layer["weights_8bit"]["value"]
    ]
    return Row(
        network=name,
        remark=plan.remark,
        input=(arguments["height"], arguments["width"], arguments["in_channels"]),
        target=manifest["options"]["target"],
        frame_cycles_wanted=plan.frame_cycles,
        layers=len(weighted),
        engines=len(report["layers"]),
        macs_1bit=totals["macs_1bit"],
        macs_8bit=totals["macs_8bit"],
        parameters=totals["parameters"],
        patterns=totals["pattern_weights"],
        bytes_r=totals["model_bytes_r"],
        bytes_b=totals["model_bytes_b"],
        bytes_bq=totals["model_bytes_bq"],
        exact=manifest["exact"],
        representations=checks.get("representations", []),
        images=checks.get("samples", 0),
        compared=sum(check["elements"] for check in checks["layers"]),
        differ=sum(check["mismatches"] for check in checks["layers"]),
        written=[word for word in ("hls", "rtl") if (out / word).is_dir()],
        frame_interval_cycles=totals["frame_interval"],
        frames_per_s=round(totals["throughput"], 1),
        frames_per_s_link=round(totals["throughput_link"], 1),
        clock_mhz=round(1000 / manifest["options"]["clock_ns"], 1),
        estimated={kind: int(estimated["total"][kind]["value"]) for kind in RESOURCE_KINDS},
        available={kind: int(report["resources"]["available"][kind]) for kind in RESOURCE_KINDS},
        wall_s=round(seconds, 1),
        peak_mb=peak_mb,
        load=load,
        cores=os.cpu_count() or 1,
        steps_s=step_seconds(text),
    )


def _table(head: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _verified(row: Mapping[str, Any]) -> list[str]:
    exact = {True: "yes", False: "**NO**", None: "not verified"}[row["exact"]]
    ran = ", ".join(row["representations"])
    idle = [
        f"{word}/" for word in row["written"] if {"hls": "csim", "rtl": "rtlsim"}[word] not in ran
    ]
    rest = f"; {' and '.join(idle)} written, not run" if idle else ""
    return [
        row["network"],
        exact,
        f"{ran}{rest}",
        str(row["images"]),
        f"{row['compared']:,}",
        f"{row['differ']:,}",
        f"{row['wall_s'] / 60:.1f}",
        f"{row['peak_mb'] / 1000:.1f}",
        f"{row['load']:g}",
    ]


def _size(row: Mapping[str, Any]) -> list[str]:
    millions = [f"{row[key] / 1e6:.2f}" for key in ("bytes_r", "bytes_b", "bytes_bq")]
    return [
        row["network"],
        "×".join(map(str, row["input"])),
        str(row["layers"]),
        str(row["engines"]),
        f"{row['macs_1bit']:,}",
        f"{row['macs_8bit']:,}",
        f"{row['parameters']:,}",
        f"{row['patterns']:,}",
        " / ".join(millions),
        row["remark"] or "–",
    ]


def _chip(row: Mapping[str, Any]) -> list[str]:
    used, there = row["estimated"], row["available"]
    own = find_target(row["target"]).device.technology
    share = [f"{used[k]:,} ({used[k] / there[k]:.0%})" for k in RESOURCE_KINDS]
    fits = [
        device.name
        for device in DEVICES
        if device.technology is own
        and all(used[k] <= getattr(device.available, k) for k in RESOURCE_KINDS)
    ]
    return [
        row["network"],
        f"{row['frame_interval_cycles']:,}",
        f"{row['frames_per_s']:,.0f}",
        f"{row['frames_per_s_link']:,.0f}",
        *share,
        ", ".join(fits) or "none",
    ]


def page(rows: list[dict[str, Any]]) -> str:
    """The published page."""
    targets = sorted({f"{r['target']} at {r['clock_mhz']:g} MHz" for r in rows})
    limits = ", ".join(f"{rows[0]['available'][k]:,} {k.upper()}" for k in RESOURCE_KINDS)
    lines = [
        "# Every named network, exported",
        "",
        "Made by `python -m benchmarks.networks`, one `sephw export` each. Weights are random "
        "(seed 0), batch norms have random scales and biases and the statistics of one batch of "
        "noise after binarization, activation scales are calibrated on that noise: what is shown "
        "is that the flow is exact at these sizes, nothing of accuracy.",
        "",
        "## Exact",
        "",
        "Integers of every layer and stream compared with `==` (with cyclesim: cycles of beats as "
        "well, RTL against cycle simulation under random pauses), on noise images and four "
        "adversarial ones. Minutes and peak memory (largest process) are those of the whole "
        f"export, made on {rows[0]['cores']} cores with other work on them: `load` is the "
        "machine's load average when the export began, so minutes are upper bounds.",
        "",
        *_table(
            (
                "network",
                "exact",
                "over",
                "images",
                "values compared",
                "differ",
                "minutes",
                "peak, GB",
                "load",
            ),
            [_verified(row) for row in rows],
        ),
        "## Sizes",
        "",
        "Counted from the hardware graph. Layers: those with weights; MB are 10^6 bytes.",
        "",
        *_table(
            (
                "network",
                "input",
                "layers",
                "engines",
                "1-bit MACs",
                "8-bit MACs",
                "parameters",
                "of these 1-bit",
                "R / B / BQ, MB",
                "reconstruction",
            ),
            [_size(row) for row in rows],
        ),
        "## On a chip",
        "",
        f"For {', '.join(targets)}: {limits}. The folding is the smallest for a budget of cycles, "
        "not searched. The frame interval is the cycle simulator's; logic is estimated by the "
        "resource model, frames/s on chip follow from the clock that the project asks for. Over "
        "the link: by DMA, a beat each way in every cycle of that clock, the driver's work on the "
        "processor not counted ([report](../../docs/report.md)). Nothing here was synthesized.",
        "",
        *_table(
            (
                "network",
                "frame interval, cycles",
                "frames/s on chip",
                "over the link",
                "LUT",
                "FF",
                "BRAM",
                "DSP",
                "AMD devices with as much",
            ),
            [_chip(row) for row in rows],
        ),
    ]
    missing = [name for name in PLANS if name not in {row["network"] for row in rows}]
    if missing:
        lines += [f"Not measured yet: {', '.join(missing)}.", ""]
    return "\n".join(lines)


def publish(row: Row, out: Path) -> str:
    """Merge ``row`` into the published files; returns the page."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "networks.json"
    known = json.loads(path.read_text("utf-8")) if path.is_file() else []
    by_name = {entry["network"]: entry for entry in known} | {row.network: asdict(row)}
    rows = [by_name[name] for name in PLANS if name in by_name]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
    text = page(rows)
    (out / "networks.md").write_text(text, "utf-8")
    return text


@click.command(help=__doc__)
@click.option(
    "--network",
    "networks",
    multiple=True,
    default=tuple(PLANS),
    type=click.Choice(tuple(PLANS)),
    help="Network; all, smallest first, if not given.",
)
@click.option("--steps", help="Steps of the export instead of the network's own.")
@click.option("--frame-cycles", type=click.IntRange(1), help="Budget instead of its own.")
@click.option("--samples", default=1, show_default=True, help="Noise images.")
@click.option("--minutes", default=60.0, show_default=True, help="Most that one export may take.")
@click.option("--out", default=PUBLISHED, type=click.Path(path_type=Path), help="Where to publish.")
@click.option("--work", type=click.Path(path_type=Path), help="Keep the exports here.")
def main(
    networks: tuple[str, ...],
    steps: str | None,
    frame_cycles: int | None,
    samples: int,
    minutes: float,
    out: Path,
    work: Path | None,
) -> None:
    """Export, read, publish after each network."""
    end_on_signals()
    failed = []
    for name in networks:
        own = PLANS[name]
        plan = Plan(steps or own.steps, frame_cycles or own.frame_cycles, own.remark)
        click.echo(f"{name}: {plan.steps}", err=True)
        with tempfile.TemporaryDirectory() as folder:
            if work is not None:
                work.mkdir(parents=True, exist_ok=True)
            try:
                row = measure(name, plan, samples, minutes, work or Path(folder))
            except click.ClickException as error:
                error.show()
                failed.append(name)
                continue
        publish(row, out)
        click.echo(f"{name}: exact {row.exact}, {row.wall_s:.0f} s, {row.peak_mb} MB", err=True)
        if row.exact is False:
            failed.append(name)
    if failed:
        click.echo(f"failed: {', '.join(failed)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
