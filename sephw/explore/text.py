"""The text output of a search: the folding by layer, totals, and the Pareto set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sephw.errors import SephwError
from sephw.explore.found import Found, NodeFound
from sephw.explore.sweep import SynthesisResult
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.ops import TileBuffer
from sephw.rates import rate, typed_rate
from sephw.targets import Device

_SPEED = ("frames/s on chip", "over link", "cycles/frame")


def table(found: Found) -> str:
    """Every engine with its folding, cycles and estimate; forks and converters as one line."""
    head = ("engine", "family", "PE", "SIMD", "cycles", "LUT", "FF", "BRAM", "DSP", "")
    rows = [_row(found, node) for node in found.nodes]
    tiled = any(isinstance(node.operator, TileBuffer) for node in found.graph.nodes)
    between = "forks, width converters, tile buffers" if tiled else "forks and width converters"
    rows.append((between, "", "", "", "", *_counts(found.between), ""))
    if any(asdict(found.goal.reserved).values()):
        rows.append(("reserved: board top", "", "", "", "", *_counts(found.goal.reserved), ""))
    return "\n".join(_aligned((head, *rows), left=(0, 1, 9)))


def _row(found: Found, node: NodeFound) -> tuple[str, ...]:
    folding = node.folding
    pace = "◀ slowest" if node.name == found.bottleneck else ""
    return (
        node.name,
        folding.engine.describe(),
        str(folding.pe),
        str(folding.simd),
        f"{node.frame_cycles:,}",
        *_counts(node.resources),
        pace,
    )


def summary(found: Found) -> str:
    """Totals against the limits, speed, and how sure all that is."""
    goal, device = found.goal, found.goal.device
    lines = [f"{found.network} on {device.name}"]
    margins = asdict(goal.margins)
    shares = []
    for kind in RESOURCE_KINDS:
        used, available = getattr(found.estimated, kind), getattr(device.available, kind)
        share = f"{100 * used / available:.0f} %" if available else "none there"
        limit = "" if margins[kind] == 1 else f", limit {getattr(goal.limits, kind):,}"
        shares.append(f"{kind.upper()} {used:,} of {available:,} ({share}{limit})")
    clock = "asked for" if goal.clock_mhz is not None else "estimated"
    proof = (
        "no folding of the search's model is better"
        if found.proven_optimal
        else "not proved to be the best: what the model finds better did not fit with its FIFOs"
    )
    entries = [
        (
            "speed",
            f"{rate(found.frames_per_second)} frames/s on chip [estimated]: "
            f"{found.frame_cycles:,} cycles/frame [simulated] at {found.clock_mhz:.1f} MHz "
            f"[{clock}]; set by '{found.bottleneck}'",
        ),
        ("", _over_link(found)),
        ("takes", f"{', '.join(shares[:2])} [estimated]"),
        ("", ", ".join(shares[2:])),
        ("clock", f"up to {found.fmax_mhz:.1f} MHz [estimated]"),
        ("errors", error_bars(device)),
        ("optimum", f"{proof}; {found.rounds} round{'s' if found.rounds > 1 else ''}"),
    ]
    if goal.fps is not None and goal.clock_mhz is None:
        counted = goal.counted_mhz(found.fmax_mhz)
        entries.insert(
            1,
            (
                "",
                f"asked for: {typed_rate(goal.fps)} frames/s on chip; {counted:.1f} MHz "
                f"give {rate(counted * 1e6 / found.frame_cycles)}, the estimated clock "
                f"less {100 * goal.clock_error:.0f} % for its error",
            ),
        )
    if goal.weight_bandwidth_bits is not None:
        entries.insert(-3, ("weights", _streams(found, goal.weight_bandwidth_bits)))
    if found.timed_out:
        entries.append(("", "the time was over before all was tried; more with --search-seconds"))
    if found.fmax_mhz == float("inf"):
        entries = [entry for entry in entries if entry[0] != "clock"]
    return "\n".join([*lines, *(f"  {name:8}{text}" for name, text in entries)])


def _over_link(found: Found) -> str:
    over = found.over_link
    if over is None:
        if found.goal.board is None:
            return "over a link: not known, a device by itself has none"
        return "over a link: not known, no design of this board takes the network in"
    return (
        f"{rate(over.frames_per_second)} frames/s over this board's link [estimated]: {over.name}"
    )


def _streams(found: Found, bandwidth_bits: int) -> str:
    """The streamed weights, and the share of the memory's bandwidth that they take."""
    traffic = found.weight_traffic_bits
    if not traffic:
        return "all on the chip; the external memory is not needed"
    total = sum(traffic.values())
    share = total / (bandwidth_bits * found.frame_cycles)
    layers = "1 layer" if len(traffic) == 1 else f"{len(traffic)} layers"
    return (
        f"{layers} streamed, {total / 1e6:,.2f} Mbit/frame [counted], {100 * share:.0f} % of "
        f"{bandwidth_bits:,} bits/cycle [simulated]"
    )


def error_bars(device: Device) -> str:
    """The measured errors of estimates for ``device``."""
    from sephw.resources import accuracy

    try:
        found = accuracy(device.technology)
    except SephwError as error:
        return str(error)
    parts = [
        f"{name} ±{100 * errors.median:.1f} % (9 of 10 within {100 * errors.p90:.0f} %)"
        for name, errors in (("LUT", found.lut), ("FF", found.ff))
    ]
    parts += [
        f"{name} exact in {100 * errors.exact:.0f} %"
        for name, errors in (("BRAM", found.bram), ("DSP", found.dsp))
    ]
    text = f"{', '.join(parts)} of {found.lut.count} engines that no figure was fitted to"
    if found.fmax is not None:
        text += f"; clock ±{100 * found.fmax.median:.0f} % of {found.fmax.count} routed engines"
    whole = found.network_fmax
    if whole is not None:
        text += f", ±{100 * whole.median:.0f} % of {whole.count} routed networks"
    return text


def pareto_table(points: Sequence[Found]) -> str:
    """One line a point, fastest first."""
    head = (*_SPEED, "LUT", "share", "FF", "BRAM", "DSP", "")
    rows = [
        (
            *_speed(one),
            f"{one.estimated.lut:,}",
            f"{100 * one.estimated.lut / one.goal.device.available.lut:.1f} %",
            *_counts(one.estimated)[1:],
            "" if one.proven_optimal else "not proved",
        )
        for one in points
    ]
    return "\n".join(_aligned((head, *rows), left=(8,)))


def synthesis_table(points: Sequence[Found], results: Sequence[SynthesisResult]) -> str:
    """Estimated beside synthesized."""
    head = (*_SPEED, "", *(k.upper() for k in RESOURCE_KINDS), "fits", "")
    rows = []
    for one, result in zip(points, results, strict=True):
        own = one.estimated.minus(one.goal.reserved)
        rows.append((*_speed(one), "estimated", *_counts(own), "yes", ""))
        if result.error:
            rows.append(
                ("", "", "", "synthesized", *["-"] * len(RESOURCE_KINDS), "-", result.error)
            )
            continue
        fits = (result.total + one.goal.reserved).fits(one.goal.limits)
        note = f"{result.seconds:.0f} s"
        answer = "yes" if fits else "no"
        rows.append(("", "", "", "synthesized", *_counts(result.total), answer, note))
    return "\n".join(_aligned((head, *rows), left=(3, 8, 9)))


def _speed(found: Found) -> tuple[str, str, str]:
    over = found.over_link
    link = "-" if over is None else rate(over.frames_per_second)
    return rate(found.frames_per_second), link, f"{found.frame_cycles:,}"


def _counts(resources: Resources) -> tuple[str, ...]:
    return tuple(f"{getattr(resources, kind):,}" for kind in RESOURCE_KINDS)


def _aligned(rows: Sequence[Sequence[str]], left: Sequence[int]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return lines
