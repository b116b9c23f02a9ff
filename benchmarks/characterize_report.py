"""The model's file and the published page, from points, routed clocks and networks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import characterize_clock, characterize_networks, characterize_routed
from benchmarks.characterize_data import TECHNOLOGIES, PointFile
from benchmarks.characterize_fit import (
    HELD_OUT_SHARE,
    Measured,
    accuracy,
    errors,
    fit_luts,
    fit_period,
    held_out,
    measured,
)
from benchmarks.characterize_layers import layer
from sephw.ir.resources import RESOURCE_KINDS
from sephw.resources.clock import delays
from sephw.resources.held_out import bars, held
from sephw.resources.held_out import measured as measured_networks
from sephw.resources.model import FILE_ENDING, load
from sephw.technologies import CHARACTERIZATION, Technology

PUBLISHED = Path(__file__).resolve().parent.parent / "reports" / "published"
NAME = "resource_model"


def make_model() -> dict[str, Any]:
    """Fit every technology and measure the errors on held-out layers; writes the models' files."""
    model: dict[str, Any] = {}
    for technology in TECHNOLOGIES:
        points = PointFile.load(technology)
        rows = measured(points)
        fitted = [row for row in rows if not held_out(row.index)]
        luts = fit_luts(technology, fitted)
        clocks = _clocks(technology)
        period = fit_period(
            technology, [(c, mhz) for index, c, mhz in clocks if not held_out(index)]
        )
        found = accuracy([row for row in rows if held_out(row.index)], luts)
        found["fmax"] = _clock_errors(period, clocks)
        routed = characterize_routed.read(technology)
        wires_ns = characterize_routed.fit(period, list(routed.values()))
        found["network_fmax"] = characterize_routed.clock_errors(period, routed)
        found["networks"] = []
        model[technology.name] = {
            "yosys": points.yosys,
            "fitted": len(fitted),
            "held_out": len(rows) - len(fitted),
            "luts": luts,
            "fmax": period,
            "wires_ns": wires_ns,
            "accuracy": found,
        }
    _write(model)
    # Estimates of networks are the written model's.
    for name, by_technology in characterize_networks.read().items():
        for technology in TECHNOLOGIES:
            if technology.name in by_technology:
                model[technology.name]["accuracy"]["networks"].append(
                    _network(name, technology, by_technology[technology.name])
                )
    _write(model)
    return model


def _clocks(technology: Technology) -> list[tuple[int, Mapping[str, float], float]]:
    """(layer, terms of the period, routed MHz)."""
    rows = []
    for index, found in characterize_clock.read(technology).items():
        made = layer(int(index))
        parts = made.operator.structure(made.folding, made.fifo_depths)
        rows.append((int(index), delays(parts, technology), found["mhz"]))
    return rows


def _clock_errors(
    period: Mapping[str, float], clocks: Sequence[tuple[int, Mapping[str, float], float]]
) -> dict[str, Any] | None:
    pairs = [
        (1000 / sum(period[name] * term for name, term in terms.items()), mhz)
        for index, terms, mhz in clocks
        if held_out(index)
    ]
    return asdict(errors(pairs)) if pairs else None


def _network(name: str, technology: Technology, rows: Sequence[Mapping[str, Any]]) -> Any:
    guessed = characterize_networks.estimated(name, technology).values()
    return {
        "network": name,
        "engines": len(rows),
        "estimated": {kind: sum(getattr(one, kind) for one in guessed) for kind in RESOURCE_KINDS},
        "synthesized": {kind: sum(row[kind] for row in rows) for kind in RESOURCE_KINDS},
    }


def _write(model: Mapping[str, Any]) -> None:
    for technology in TECHNOLOGIES:
        text = json.dumps(model[technology.name], indent=1, sort_keys=True)
        folder = technology.require(CHARACTERIZATION).folder
        path = folder / f"{technology.name}{FILE_ENDING}"
        path.write_text(text + "\n", encoding="utf-8")
    load.cache_clear()


def publish(model: Mapping[str, Any]) -> None:
    """Write reports/published/resource_model.json and .md."""
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    shown = {
        name: {key: part[key] for key in ("yosys", "fitted", "held_out", "accuracy")}
        for name, part in model.items()
    }
    (PUBLISHED / f"{NAME}.json").write_text(json.dumps(shown, indent=1, sort_keys=True) + "\n")
    (PUBLISHED / f"{NAME}.md").write_text(_page(model), encoding="utf-8")


def _page(model: Mapping[str, Any]) -> str:
    lines = [
        "# Resource model: error of the estimates",
        "",
        "Made by `python -m benchmarks.characterize`. Each layer is one engine, synthesized by "
        "itself by Yosys; "
        f"about {HELD_OUT_SHARE:.0%} of the layers, drawn by their number, are held out: no "
        "coefficient is fitted to them, and all errors below are theirs. Error: "
        "|estimate − synthesized| / synthesized.",
        "",
        "| technology | layers fitted / held out | LUT median / p90 / largest | "
        "FF median / largest (exact) | BRAM exact | DSP exact | clock median / largest (engines) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, part in model.items():
        found = part["accuracy"]
        lut, ff, clock = found["lut"], found["ff"], found["fmax"]
        cells = [name, f"{part['fitted']} / {part['held_out']}"]
        if lut["count"]:
            cells += [
                f"{_percent(lut['median'])} / {_percent(lut['p90'])} / {_percent(lut['largest'])}",
                f"{_percent(ff['median'])} / {_percent(ff['largest'])} "
                f"({_percent(ff['exact'], 0)})",
                _percent(found["bram"]["exact"], 0),
                _percent(found["dsp"]["exact"], 0),
            ]
        else:
            cells += ["not measured yet"] * 4
        if clock is not None:
            cells.append(
                f"{_percent(clock['median'])} / {_percent(clock['largest'])} ({clock['count']})"
            )
        else:
            cells.append("not measured yet" if part["fmax"] else "not modelled")
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *_kinds(model), "", *_unsolved(model), "", *_networks(model), ""]
    lines += [*_held_out(), "", *_routed(model), ""]
    lines += [
        "Clocks of engines: single ones between shift registers, placed and routed by nextpnr "
        + ", ".join(
            f"({technology.name}: {device.name})"
            for technology, device in characterize_clock.DEVICES.items()
            if model[technology.name]["fmax"]
        )
        + ". Clocks of the other technologies are not estimated: no tool from PyPI places and "
        "routes xc7 devices, and no engine for Gowin was routed.",
        "",
        "Yosys " + ", ".join(sorted({part["yosys"] for part in model.values()})) + ".",
        "",
    ]
    return "\n".join(lines)


def _kinds(model: Mapping[str, Any]) -> list[str]:
    kinds = sorted({kind for part in model.values() for kind in part["accuracy"]["by_kind"]})
    lines = [
        "LUT error by engine, median / largest (held-out layers):",
        "",
        "| engine | " + " | ".join(model) + " |",
        "|---|" + "---|" * len(model),
    ]
    for kind in kinds:
        cells = []
        for part in model.values():
            found = part["accuracy"]["by_kind"].get(kind)
            cells.append(
                f"{_percent(found['median'])} / {_percent(found['largest'])} ({found['count']})"
                if found is not None and found["count"]
                else "none held out"
            )
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return lines


def _unsolved(model: Mapping[str, Any]) -> list[str]:
    parts = ", ".join(
        f"{name} {_percent(found['median'])} / {_percent(found['largest'])} ({found['count']})"
        for name, part in model.items()
        for found in [part["accuracy"]["lut_unsolved"]]
    )
    return [
        "The folding search guesses the size of an adder graph instead of solving it. LUT error of "
        f"the adder families then, median / largest: {parts}."
    ]


def _networks(model: Mapping[str, Any]) -> list[str]:
    rows = [(name, found) for name, part in model.items() for found in part["accuracy"]["networks"]]
    if not rows:
        return []
    lines = [
        "Shipped models at the default folding, sums over all engines, estimated / synthesized:",
        "",
        "| network | technology | engines | LUT | FF | BRAM | DSP | LUT error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, found in rows:
        pairs = [(found["estimated"][k], found["synthesized"][k]) for k in RESOURCE_KINDS]
        cells = " | ".join(f"{e:,} / {s:,}" for e, s in pairs)
        lines.append(
            f"| {found['network']} | {name} | {found['engines']} | {cells} | "
            f"{pairs[0][0] / pairs[0][1] - 1:+.1%} |"
        )
    return lines


def _held_out() -> list[str]:
    """Error bars of whole designs, and how many networks the bars of the others hold."""
    lines = [
        "Whole networks that nothing was fitted to (`benchmarks.held_out_networks`, "
        "`benchmarks.random_networks`), from which the error bars of whole designs come: "
        "synthesized / estimated, the sums over all engines. Beside a range the share of networks "
        "that the range of all others holds, to be compared with the expected coverage; ranges of "
        "fewer than 39 networks are no narrower than those of nine in ten engines. Routing: "
        "routed / synthesized LUTs of whole designs; of iCE40 logic cells by LUTs. Tops: what lies "
        "in no engine of a board's design / its estimate.",
        "",
        "| technology | networks | expected coverage | LUT | FF | BRAM | DSP | tops, LUT / FF | "
        "routing (designs) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for technology in TECHNOLOGIES:
        found, there = bars(technology), measured_networks(technology)
        if found is None:
            continue
        inside = held(there.networks)
        ranges = [
            f"{low:.3f} to {high:.3f} ({_percent(inside[kind], 0)})"
            for kind, (low, high) in found.ratios.items()
        ]
        low, high = found.routing["lut"]
        (few, many), (fewest, most) = found.tops["lut"], found.tops["ff"]
        cells = (
            technology.name,
            str(found.networks),
            _percent(found.coverage, 0),
            *ranges,
            f"{few:.2f} to {many:.2f} / {fewest:.2f} to {most:.2f} ({found.measured_tops})"
            if found.measured_tops
            else "no top",
            f"{low:.3f} to {high:.3f} ({found.routed})" if found.routed else "none",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _routed(model: Mapping[str, Any]) -> list[str]:
    lines = [
        "Clocks of whole networks: the period of the slowest engine and, for the wires, what "
        "grows with the square root of the LUTs. Each network is estimated with the wires fitted "
        "to the others, from nextpnr's LUTs.",
        "",
        "| technology | network | LUT | estimated, MHz | routed, MHz | error |",
        "|---|---|---|---|---|---|",
    ]
    rows = 0
    for technology in TECHNOLOGIES:
        networks = characterize_routed.read(technology)
        period = model[technology.name]["fmax"]
        for name, mhz in characterize_routed.estimated_mhz(period, networks).items():
            found = networks[name]
            cells = (
                technology.name,
                name,
                f"{found['lut']:,}",
                f"{mhz:.1f}",
                f"{found['mhz']:.1f}",
                f"{mhz / found['mhz'] - 1:+.0%}".replace("%", " %"),
            )
            lines.append(f"| {' | '.join(cells)} |")
            rows += 1
    return lines if rows else []


def _percent(share: float, digits: int = 1) -> str:
    return f"{share:.{digits}%}".replace("%", " %")


__all__ = ["Measured", "make_model", "publish"]
