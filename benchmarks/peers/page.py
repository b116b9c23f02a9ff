"""The published page: tables, the comparison at equal throughput, and where it is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.peers.layer import Layer
from benchmarks.peers.result import (
    NOT_SYNTHESIZED,
    OURS,
    Comparison,
    Row,
    Scope,
    best_peer_factor,
    compare,
)

GOAL = 3.0
_UNITS = {"ecp5": "ECP5, LUT4", "xc7": "Xilinx 7 series, LUT6"}
_SCOPES = {
    Scope.LAYER: "Line buffers, windows and convolution; sums out.",
    Scope.LAYER_8BIT: "The same with sums scaled by a 4-bit mantissa per channel, biased, "
    "shifted and clipped to 8 bits.",
    Scope.ENGINE: "The convolution behind streams, with flow control and output FIFO, fed with "
    "windows.",
    Scope.ADDERS: "The arithmetic alone: registers and adders, no flow control.",
}
# What a row of a contender cannot be read without.
_PECULIAR = {"FINN+ RTL": "2-bit weights, DSP-oriented unit"}
_LICENCES = (
    ("NNgen (with veriloggen, pyverilog)", "nngen", "Apache-2.0"),
    ("FINN+", "finn-plus", "BSD-3-Clause"),
    ("da4ml", "da4ml", "LGPL-3.0"),
    ("Yosys (YoWASP wheel)", "Yosys", "ISC"),
    ("Verilator", "verilator", "LGPL-3.0 or Artistic-2.0"),
)


def page(rows: Sequence[Row], versions: Mapping[str, str], scripts: Mapping[str, str]) -> str:
    """Markdown of all rows; ``scripts`` of Yosys by technology, as they were run."""
    layer = Layer()
    comparisons = [c for c in compare(rows) if c.peer.technology != NOT_SYNTHESIZED]
    parts = [_head(layer)]
    parts.append(_verdict(comparisons))
    for groups in sorted({row.groups for row in rows}):
        parts.append(_layer_tables([r for r in rows if r.groups == groups], groups))
    parts.append(_equal(comparisons))
    parts.append(_values(rows))
    parts.append(_notes(rows))
    parts.append(_versions(versions, scripts))
    return "\n\n".join(part for part in parts if part) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(header), " | ".join("---" for _ in header)]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _head(layer: Layer) -> str:
    return f"""\
# Peers: one layer, several generators

Made by `python -m benchmarks.peers`. The layer: {layer.channels} → {layer.channels} channels, \
3×3, stride 1, zeros around a {layer.size}×{layer.size} map, weights ±1 (seeded, random), unsigned \
8-bit activations; {layer.macs:,} one-bit multiply-accumulates (MAC) an image, \
{layer.macs // 4:,} with 4 groups.

Everything is synthesized by one Yosys with the same script per technology, that of \
`sephw synth` (below), out of context, without pads, and counted by the same code: LUT4 of ECP5 \
count two per carry cell, LUTs used as memory count as LUTs, BRAM are 18-Kbit blocks. \
Cycles are those between the ends of two images, or of a whole run for NNgen, from RTL simulation \
by Verilator, in which every output integer is compared with numpy. Clock rates are not compared."""


def _verdict(comparisons: Sequence[Comparison]) -> str:
    lines = [
        "## Result",
        "",
        f"The goal is {GOAL:g} times fewer LUTs than the best peer at equal throughput: ours is "
        "the smallest design of this package that takes no more cycles.",
        "",
    ]
    for technology, unit in _UNITS.items():
        mine = [
            c
            for c in comparisons
            if c.peer.technology == technology and c.peer.scope is Scope.LAYER and not c.peer.wrong
        ]
        if not mine:
            continue
        factor = best_peer_factor(mine, Scope.LAYER, technology)
        worst = next((c for c in mine if c.factor == factor), None)
        if worst is not None and worst.ours is not None:
            said = "reached" if factor >= GOAL else "not reached"
            lines.append(
                f"- {unit}: {said}. The closest peer is {_called(worst.peer.contender)} "
                f"({worst.peer.configuration}) with {factor:.2f} times our LUTs"
                + (f" and {worst.peer.dsp} DSP blocks" if worst.peer.dsp else "")
                + f" ({worst.peer.lut:,} against {worst.ours.lut:,} of {worst.ours.configuration})."
            )
        lost = [c for c in mine if c.factor is not None and c.factor < 1]
        for c in lost:
            assert c.ours is not None
            lines.append(
                f"  - We lose to {_called(c.peer.contender)} ({c.peer.configuration}): "
                f"{c.peer.lut:,} LUTs and {c.peer.dsp} DSP blocks against {c.ours.lut:,} and "
                f"{c.ours.dsp}."
            )
        for c in mine:
            if c.ours is None:
                lines.append(
                    f"  - None of ours is as fast as {_called(c.peer.contender)} "
                    f"({c.peer.configuration}): {c.peer.cycles:,} cycles."
                )
        for name in sorted({c.peer.contender for c in mine}):
            factors = [c.factor for c in mine if c.peer.contender == name and c.factor is not None]
            if factors:
                lines.append(
                    f"  - {_called(name)}: {_range(factors)} times our LUTs"
                    f"{_blocks(c.peer for c in mine if c.peer.contender == name)}."
                )
    return "\n".join(lines)


def _range(factors: Sequence[float]) -> str:
    low, high = (f"{value:.2f}" for value in (min(factors), max(factors)))
    return low if low == high else f"{low} to {high}"


def _blocks(peers: Iterable[Row]) -> str:
    """Said of designs whose LUTs are not all of them."""
    dsp = [row.dsp for row in peers]
    return f", besides up to {max(dsp)} DSP blocks" if any(dsp) else ""


def _layer_tables(rows: Sequence[Row], groups: int) -> str:
    parts = []
    for scope, about in _SCOPES.items():
        for technology, unit in _UNITS.items():
            chosen = [r for r in rows if r.scope is scope and r.technology == technology]
            if not chosen:
                continue
            grouped = f", {groups} groups" if groups > 1 else ""
            parts.append(f"## {scope.capitalize()}{grouped}: {unit}\n\n{about}")
            chosen.sort(key=lambda r: (-r.cycles, r.lut))
            parts.append(
                table(
                    [
                        "generator",
                        "configuration",
                        "LUT",
                        "FF",
                        "BRAM",
                        "DSP",
                        "cycles per image",
                        "MAC per cycle",
                        "LUT per MAC/cycle",
                        "LUT × cycles, million",
                        "values",
                    ],
                    [
                        [
                            _called(r.contender),
                            r.configuration,
                            f"{r.lut:,}",
                            f"{r.ff:,}",
                            r.bram,
                            r.dsp,
                            f"{r.cycles:,}",
                            f"{r.macs / r.cycles:,.1f}",
                            f"{r.lut_per_mac:.1f}",
                            f"{r.lut * r.cycles / 1e6:,.1f}",
                            _said(r),
                        ]
                        for r in chosen
                    ],
                )
            )
    return "\n\n".join(parts)


def _equal(comparisons: Sequence[Comparison]) -> str:
    rows = []
    for c in comparisons:
        peer, ours = c.peer, c.ours
        shown = [
            peer.technology,
            peer.scope.value,
            peer.groups,
            _called(peer.contender),
            peer.configuration,
            f"{peer.cycles:,}",
            f"{peer.lut:,} + {peer.dsp} DSP",
        ]
        if ours is None:
            rows.append([*shown, "none as fast", "", "", ""])
        else:
            rows.append(
                [
                    *shown,
                    ours.configuration,
                    f"{ours.cycles:,}",
                    f"{ours.lut:,} + {ours.dsp} DSP",
                    f"**{c.factor:.2f}**",
                ]
            )
    if not rows:
        return ""
    header = [
        "technology",
        "scope",
        "groups",
        "peer",
        "configuration",
        "cycles",
        "LUT",
        OURS,
        "cycles",
        "LUT",
        "times fewer",
    ]
    return (
        "## Equal throughput\n\n"
        f"Beside each peer the smallest of ours that takes no more cycles.\n\n{table(header, rows)}"
    )


def _values(rows: Sequence[Row]) -> str:
    seen = {}
    for r in rows:
        if r.contender == OURS and not r.wrong:
            continue
        seen[(r.contender, r.configuration, r.groups)] = r
    shown = [
        [
            _called(r.contender),
            r.configuration,
            r.groups,
            f"{r.cycles:,}",
            f"{r.checked:,}",
            f"{r.wrong:,}",
            r.note,
        ]
        for r in seen.values()
    ]
    if not shown:
        return ""
    # An engine's integers are those of its layer.
    streams = {
        (r.configuration, r.groups, r.scope): r.checked
        for r in rows
        if r.contender == OURS and r.scope in (Scope.LAYER, Scope.LAYER_8BIT)
    }
    total = sum(streams.values())
    header = ["generator", "configuration", "groups", "cycles", "compared", "differ", "remarks"]
    return (
        f"## Values\n\nOf ours, {total:,} output integers were compared; "
        + (
            "none differs."
            if not any(r.wrong for r in rows if r.contender == OURS)
            else "those that differ are listed."
        )
        + f" Of the peers:\n\n{table(header, shown)}"
    )


def _called(contender: str) -> str:
    what = _PECULIAR.get(contender)
    return contender if what is None else f"{contender} ({what})"


def _said(row: Row) -> str:
    said = "right" if row.wrong == 0 else f"{row.wrong:,} of {row.checked:,} wrong"
    return f"{said}; {row.note}" if row.note else said


_NOTES = {
    OURS: "`SlidingWindow`, `PatternConv` and `Join` as an export writes them, synthesized "
    "engine by engine as `sephw synth` does, and added up. Between windows and adders "
    "stands a FIFO just deep enough for the round trip of a beat; the depths that an "
    "export finds are larger and save some 30 cycles an image. `select, PE × SIMD` keeps "
    "patterns in memory; `digit-serial` and `adder graph` compile them.",
    "da4ml": "its own Verilog from its own solver, one adder between two registers. It makes no "
    "windows and no flow control: engine and layer take both from this package, so these "
    "rows compare adders.",
    "NNgen": "`binary_weight_conv2d`, an accelerator with an AXI master that fetches map and "
    "weights from a memory and writes 32-bit sums back; DMA and control are in its LUTs "
    "and its memory traffic in its cycles. With unsigned 8-bit activations its 1-bit "
    "weights give wrong sums: it negates in their type. Sizes are therefore of signed "
    "8-bit activations, without −128, which overflows in the same way; 16 bits hold the "
    "layer's own values. It has no groups.",
    "FINN+ RTL": "`fmpadding`, `swg`, `memstream` and `mvu` of its RTL library, as its own Python "
    "fills them in, without the AXI-lite ports for run-time settings. `mvu` refuses 1-bit "
    "weights, so they are 2-bit, and it does its multiplications in DSP blocks: its LUTs "
    "alone are not its size. Two edits were needed to read it: a function moves out of a "
    "generate block (Verilator), a watchdog for simulation goes (Yosys). Its behavioral "
    "form is used, in which Yosys finds the multipliers; ECP5 is not among its targets. "
    "It has no groups other than depthwise. Its 1-bit unit is HLS C++ for Vitis HLS, "
    "which was not run.",
}
_FAMILIES = ("select", "digit-serial", "adder graph")
_ABSENT = "- **hls4ml, Vitis HLS**: not here; they need the vendor's compiler."


def _notes(rows: Sequence[Row]) -> str:
    measured = {row.contender for row in rows}
    lines = ["## What is what", ""]
    for name, text in _NOTES.items():
        if name not in measured:
            text = f"no rows in this record; `--part {name.split('+')[0].lower()}` measures it."
        lines.append(f"- **{name}**: {text}")
    ours = [row.configuration for row in rows if row.contender == OURS]
    for family in _FAMILIES:
        if ours and not any(name.startswith(family) for name in ours):
            lines.append(f"- The record has no rows of our family {family}; the verdict lacks it.")
    return "\n".join([*lines, _ABSENT])


def _versions(versions: Mapping[str, str], scripts: Mapping[str, str]) -> str:
    rows = [[name, versions[key], licence] for name, key, licence in _LICENCES if key in versions]
    shown = {key for _, key, _ in _LICENCES}
    others = [f"{name} {version}" for name, version in versions.items() if name not in shown]
    return (
        "## Versions, licences, commands\n\n"
        + table(["tool", "version", "licence"], rows)
        + (f"\n\nBesides: {', '.join(others)}." if others else "")
        + "\n\nYosys scripts; FINN+ is read by `read_slang` in the place of `read_verilog`:\n\n"
        + "\n\n".join(f"```\n{script}\n```" for script in scripts.values())
        + """

```
pip install -e '.[test]'
python -m benchmarks.peers                # everything; hours
python -m benchmarks.peers --part sephw   # one contender; the others' rows stay
```

The other packages go into a virtual environment of their own, `build/peers/environment`
(`pip install nngen==1.3.4 veriloggen==2.3.0 pyverilog==1.3.0 qonnx==1.0.0 …`,
`pip download --no-deps finn-plus==1.6.1`); logs, Verilog and projects lie beside it."""
    )
