"""Designs that were placed and routed: what they take, how fast they are, how far estimates were.

    python -m benchmarks.routed EXPORT_DIR [EXPORT_DIR ...]

Reads what `sephw export MODEL --target BOARD` left (report.json, synth/synth.json, verify.json,
manifest.json) and writes reports/published/routed.json and routed.md. Figures of former calls of
the same model and target are replaced, others kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from sephw.export_folder import ExportFolder
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.resources.held_out import bars
from sephw.targets import find_target

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "reports" / "published"


@dataclass(frozen=True)
class Routed:
    """One design. ``fps_board`` on chip at the board's clock, ``fps_highest`` at nextpnr's Fmax;
    ``fps_link`` over the board's link, at the board's clock. Latencies to the last output beat.

    ``used``, ``available`` as nextpnr counts; ``synthesized`` by Yosys, ``estimated`` by the
    resource model. ``seconds`` by step of the synthesis; ``exact`` None: not verified.
    """

    model: str
    target: str
    part: str
    test_percent: float | None
    frame_cycles: int
    clock_mhz: float
    fmax_mhz: float
    fps_board: float
    fps_highest: float
    fps_link: float
    link: str
    latency_alone_cycles: int | None
    latency_paced_cycles: int
    used: dict[str, int]
    available: dict[str, int]
    synthesized: dict[str, int]
    estimated: dict[str, int]
    top: dict[str, int]
    engines: int
    worst_engine: str
    exact: bool | None
    representations: list[str]
    seconds: dict[str, float]
    tools: dict[str, str]
    clock_asked_mhz: float | None
    fps_asked: float | None

    @property
    def key(self) -> tuple[str, str]:
        """What tells designs apart."""
        return (self.model, self.target)


def read_export(folder: Path) -> Routed:
    """The figures of an export; click's error where it was not routed."""
    export = ExportFolder.open(folder)
    manifest, report, record = export.manifest, export.report(), export.synthesis()
    routed = None if record is None else record["routed"]
    if report is None or record is None or routed is None:
        raise click.ClickException(f"{folder}: was not placed, routed and reported")
    checks = export.verification() or {}
    cycles = int(report["totals"]["frame_interval"]["value"])
    fmax = float(routed["network_mhz"])
    clock = float(record["clock_mhz"])
    estimated = report["resources"]["estimated"]["total"]
    top = report["resources"]["estimated"]["top"]
    path = routed["worst_path"] or {}
    return Routed(
        model=manifest["model"]["file"],
        target=manifest["options"]["target"],
        part=routed["part"],
        test_percent=manifest["model"].get("test_percent"),
        frame_cycles=cycles,
        clock_mhz=round(clock, 3),
        fmax_mhz=fmax,
        fps_board=round(clock * 1e6 / cycles, 1),
        fps_highest=round(fmax * 1e6 / cycles, 1),
        fps_link=round(report["totals"]["throughput_link_board"]["value"], 1),
        link=report["link"],
        latency_alone_cycles=_cycles(report, "latency_alone_last_output"),
        latency_paced_cycles=int(report["totals"]["latency_paced_last_output"]["value"]),
        used={kind: routed["used"][kind] for kind in RESOURCE_KINDS},
        available={kind: routed["available"][kind] for kind in RESOURCE_KINDS},
        synthesized={kind: record["synthesized"]["total"][kind] for kind in RESOURCE_KINDS},
        estimated={kind: int(estimated[kind]["value"]) for kind in RESOURCE_KINDS},
        top={kind: 0 if top is None else int(top[kind]["value"]) for kind in RESOURCE_KINDS},
        engines=len(record["synthesized"]["engines"]),
        worst_engine=str(path.get("to_engine") or "host link and wiring"),
        exact=checks.get("exact"),
        representations=checks.get("representations", []),
        seconds=json.loads((folder / "synth" / "logs" / "seconds.json").read_text("utf-8")),
        tools=record["tools"],
        clock_asked_mhz=manifest["options"].get("clock_mhz"),
        fps_asked=manifest["options"].get("fps"),
    )


def _cycles(report: Mapping[str, Any], name: str) -> int | None:
    figure = report["totals"].get(name)
    return None if figure is None else int(figure["value"])


def _bars(d: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """The error bars of a design's estimate, as its report has them."""
    technology = find_target(d["target"]).device.technology
    top, found = Resources(**d["top"]), bars(technology)
    assert found is not None
    return found.around(Resources(**d["estimated"]).minus(top), top)


def _row(d: dict[str, Any]) -> str:
    share = [
        f"{d['used'][k]:,} ({d['used'][k] / d['available'][k]:.0%})" if d["available"][k] else "0"
        for k in RESOURCE_KINDS
    ]
    exact = {True: "yes", False: "NO", None: "not verified"}[d["exact"]]
    minutes = sum(d["seconds"].values()) / 60
    alone = d["latency_alone_cycles"]
    latency = f"{'–' if alone is None else f'{alone:,}'} / {d['latency_paced_cycles']:,}"
    cells = [
        d["model"].removesuffix(".pth"),
        d["target"],
        *share,
        f"{d['frame_cycles']:,}",
        latency,
        f"{d['fmax_mhz']:g}",
        f"**{d['fps_highest']:,.0f}**",
        f"{d['fps_board']:,.0f} at {d['clock_mhz']:g} MHz",
        f"{d['fps_link']:,.0f}",
        exact,
        f"{minutes:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def page(designs: list[dict[str, Any]]) -> str:
    """Markdown of all designs."""
    head = (
        "model",
        "board",
        "LUT",
        "FF",
        "BRAM",
        "DSP",
        "frame interval, cycles",
        "latency alone / paced, cycles",
        "Fmax, MHz",
        "frames/s on chip at Fmax",
        "frames/s on chip at the board's clock",
        "frames/s over the board's link",
        "every layer equal",
        "synthesis, minutes",
    )
    lines = [
        "# Designs placed and routed",
        "",
        "Made by `sephw export models/MODEL.pth --target BOARD` and `python -m benchmarks.routed`. "
        "LUT, FF, BRAM, DSP and Fmax are nextpnr's after routing, the complete board top with host "
        "link included; the frame interval is the cycle simulator's, which equals the RTL's. "
        "The latencies are the simulator's as well, first beat in to last beat out: of a frame "
        "alone (each beat offered as soon as it is taken) and paced (beats spread evenly over the "
        "frame interval). Frames/s "
        f"over the board's link are estimated ({', '.join(sorted({d['link'] for d in designs}))}: "
        "bytes of request and reply, then the paced latency, one image after the other; "
        "[how](../../docs/report.md#words)). Nothing was run on a board. Minutes are "
        "wall time of a machine of two cores with other work on it.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(_row(d) for d in designs),
        "",
        "| model | board | engines | LUT estimated (error bar) → synthesized → routed | FF | BRAM "
        "| DSP | slowest path in | asked for |",
        f"|{'---|' * 9}",
    ]
    for d in designs:
        around = _bars(d)
        pairs = [
            f"{d['estimated'][k]:,} ({around[k][0]:,} to {around[k][1]:,}) → "
            f"{d['synthesized'][k]:,} → {d['used'][k]:,}"
            for k in RESOURCE_KINDS
        ]
        wishes = ((d["fps_asked"], "frames/s on chip"), (d["clock_asked_mhz"], "MHz"))
        asked = ", ".join(f"{n:,g} {unit}" for n, unit in wishes if n is not None) or "the best"
        cells = [
            d["model"].removesuffix(".pth"),
            d["target"],
            str(d["engines"]),
            *pairs,
            d["worst_engine"],
            asked,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "All counts are of whole designs, the board's top and link included. Error bars: of "
        "networks that nothing was fitted to, their tops, and what routing changed in the designs "
        "of this page ([how](../../docs/resources.md#error-bars)).",
        "",
    ]
    tools = sorted({f"{name} {version}" for d in designs for name, version in d["tools"].items()})
    lines += [f"Tools: {', '.join(tools)}.", ""]
    return "\n".join(lines)


@click.command(help=__doc__)
@click.argument("exports", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def main(exports: tuple[Path, ...]) -> None:
    """Read the exports and write the published files."""
    out = PUBLISHED / "routed.json"
    known = json.loads(out.read_text("utf-8")) if out.is_file() else []
    by_key = {(d["model"], d["target"]): d for d in known}
    for folder in exports:
        design = read_export(folder)
        by_key[design.key] = asdict(design)
    designs = [by_key[key] for key in sorted(by_key)]
    out.write_text(json.dumps(designs, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (PUBLISHED / "routed.md").write_text(page(designs), "utf-8")
    click.echo(page(designs))


if __name__ == "__main__":
    main()
