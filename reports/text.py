"""Reports as text: a fixed-width file, and a table for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sephw.invocation import Place
from sephw.ir.resources import RESOURCE_KINDS
from sephw.reports.bars import resource_bars
from sephw.reports.figures import figure_text
from sephw.reports.matrix import Column, verified_layers
from sephw.reports.model import Figure, LayerReport, Report
from sephw.reports.next_step import next_step, not_run, own_place
from sephw.reports.numbers import number, percent
from sephw.reports.provenance import Provenance
from sephw.reports.resources import ResourceReport, Routed
from sephw.reports.speed import ON_CHIP, OVER_LINK, latencies, rates
from sephw.reports.where import by_group, layer_usage, source_of_layers

if TYPE_CHECKING:
    from rich.table import Table

_LEFT_COLUMNS = 3
_NOTE_WIDTH = 100
_SLOWEST_TITLE = "slowest engines (MACs counted, cycles per frame estimated)"


def render_text(report: Report) -> str:
    """The whole report, fixed width, ending in a newline."""
    engines = _fixed_width(_header(report), [_cells(report, layer) for layer in report.layers])
    notes = [line for note in report.notes for line in textwrap.wrap(note, _NOTE_WIDTH)]
    origin = _provenance(report.provenance) if report.provenance is not None else ()
    return _joined([*_overview(report, own_place(report)), *engines, "", *origin, *notes])


def render_overview(report: Report, place: Place) -> str:
    """The report without its engines, for the terminal; ending in a newline.

    Its commands are for ``place``.
    """
    return _joined(_overview(report, place)[:-1])


def slowest_table(report: Report, most: int = 8) -> Table:
    """The `most` engines with the most cycles per frame, as a rich table for the terminal."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=_SLOWEST_TITLE)
    for name in ("module", "engine"):
        table.add_column(name, no_wrap=True)
    for name in ("pe", "simd", "MACs 1b", "MACs 8b", "cycles"):
        table.add_column(name, justify="right")
    slowest = sorted(report.layers, key=lambda layer: -layer.cycles.value)
    for layer in slowest[:most]:
        table.add_row(
            layer.module or layer.name,
            layer.engine,
            str(layer.pe),
            str(layer.simd),
            _shown(layer.macs_1bit),
            _shown(layer.macs_8bit),
            _shown(layer.cycles),
        )
    return table


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _overview(report: Report, place: Place) -> list[str]:
    """All lines but those of the engines; the last is empty. Commands are for ``place``."""
    unproved = ", not verified" if report.verification is None else ""
    return [
        f"{report.network} on {report.target} ({report.part}), clock {report.clock_ns:g} ns"
        f"{unproved}",
        "",
        *_summary(report, place),
        "",
        *_fixed_width(("total", "value", "unit", "source"), _total_cells(report), left=1),
        "",
        *_resources(report),
        *_verification(report),
    ]


def _summary(report: Report, place: Place) -> Iterator[str]:
    verification, resources = report.verification, report.resources
    if verification is None:
        yield "exact:      not run"
    else:
        matrix = verified_layers(verification)
        ran = ", ".join(column.name for column in matrix.columns if column.run)
        yield (
            f"exact:      {'yes' if verification.exact else 'NO'}: {len(matrix.rows)} layers and "
            f"streams, {len(verification.samples)} images, {ran}"
        )
    best = None if resources is None else resources.best
    if best is None:
        yield "fits:       not known"
    else:
        source, used, limits = best
        answer = "yes" if used.resources.fits(limits) else "NO"
        shares = ", ".join(
            f"{kind.upper()} {percent(figure.value, getattr(limits, kind) or 1)}"
            for kind, figure in used.figures()
        )
        yield f"fits:       {answer}: {shares} [{source}]"
    for rate in rates(report):
        yield f"frames/s:   {figure_text(rate.chip)} {ON_CHIP} [{rate.chip.source}], {rate.at}"
        if rate.link is None:
            yield f"            none {OVER_LINK}: {rate.without}"
        else:
            yield (
                f"            {figure_text(rate.link)} {OVER_LINK} [{rate.link.source}], "
                f"{report.link}"
            )
    for name, first, last in latencies(report):
        yield (
            f"latency:    {name}: {number(first.value)} cycles to the first output beat, "
            f"{number(last.value)} to the last [{first.source}]"
        )
    yield f"bottleneck: {report.bottleneck}"
    step = next_step(report, place)
    # A command has a line to itself, to be copied whole.
    where = ", in this folder:" if place.export == Path() else ":"
    yield f"next:       {step.why}{where if step.command else ''}"
    if step.command or step.how:
        yield f"            {step.command or step.how}"
    for part in not_run(report, place):
        yield f"not run:    {part.what}{where if part.command else ''}"
        yield f"            {part.command or part.how}"


def _resources(report: Report) -> Iterator[str]:
    resources = report.resources
    if resources is None:
        return
    rows = [
        (
            bar.kind.upper(),
            number(bar.figure.value),
            _error_bar(bar.figure),
            number(bar.available),
            percent(bar.figure.value, bar.available) if bar.available else "-",
            bar.label,
        )
        for bar in resource_bars(resources).bars
    ]
    if rows:
        header = (
            f"on {resources.device.name}",
            "used",
            "error bar",
            "available",
            "share",
            "source",
        )
        yield from _fixed_width(header, rows, left=1)
        yield ""
    yield from _clocks(report, resources)
    if source_of_layers(report) is None:
        return
    shares = by_group(report)
    titles = (
        f"part [{source_of_layers(report)}]",
        "engines",
        *(kind.upper() for kind in RESOURCE_KINDS),
    )
    yield from _fixed_width(
        titles,
        [
            (
                share.name,
                str(share.engines),
                *(
                    number(getattr(share.used, kind)) if share.used else "-"
                    for kind in RESOURCE_KINDS
                ),
            )
            for share in shares
        ],
        left=1,
    )
    yield ""


def _clocks(report: Report, resources: ResourceReport) -> Iterator[str]:
    estimated = resources.estimated
    if estimated is not None and estimated.error_basis:
        yield estimated.error_basis
        yield ""
    if estimated is not None and estimated.clock is not None:
        highest = estimated.clock
        bar = _error_bar(highest)
        yield (
            f"highest clock of the slowest engine by itself: {number(highest.value)} MHz "
            f"{f'({bar}) ' if bar else ''}[{highest.source}]"
        )
        yield ""
    if resources.routed is not None:
        yield from _routed(report, resources.routed)
    for run in resources.vendor:
        for clock in run.clocks:
            goal = f" of {number(clock.requested.value)} asked for" if clock.requested else ""
            yield f"{run.name}: {clock.name} {number(clock.fmax.value)} MHz{goal} [{run.source}]"
    if resources.vendor:
        yield ""
    if resources.tools:
        yield "tools: " + ", ".join(f"{name} {version}" for name, version in resources.tools)
        yield ""
    if resources.note:
        yield resources.note
        yield ""


def _routed(report: Report, routed: Routed) -> Iterator[str]:
    rows = [
        (
            clock.name,
            number(clock.fmax.value),
            number(clock.requested.value) if clock.requested else "-",
            "-" if clock.requested is None else "yes" if clock.met else "NO",
        )
        for clock in routed.clocks
    ]
    yield from _fixed_width(("clock [routed]", "MHz", "asked", "met"), rows, left=1)
    yield ""
    worst = routed.worst_path
    if worst is not None:
        ends = [report.engine_title(end) for end in (worst.from_engine, worst.to_engine)]
        yield (
            f"worst path: {ends[0]} to {ends[1]}, {number(worst.delay.value)} ns = "
            f"{number(worst.logic.value)} logic + {number(worst.routing.value)} routing, "
            f"{worst.hops.value} nets [routed]"
        )
    yield f"{routed.part}, seed {routed.seed}" + (
        f", bitstream synth/{routed.bitstream}" if routed.bitstream else ""
    )
    yield ""


def _verification(report: Report) -> Iterator[str]:
    verification = report.verification
    if verification is None:
        return
    rows = [
        (
            column.name,
            number(column.tensors),
            number(column.elements),
            number(column.mismatches),
            _verdict(column),
        )
        for column in verified_layers(verification).columns
    ]
    header = ("representation", "tensors", "elements", "different", "verdict")
    yield from _fixed_width(header, rows, left=1)
    yield ""


def _verdict(column: Column) -> str:
    if not column.run:
        return "not run"
    if not column.tensors:
        return "reference"
    return "differs" if column.mismatches else "equal"


def _provenance(provenance: Provenance) -> Iterator[str]:
    yield f"model: {provenance.model_file}, SHA-256 {provenance.model_sha256}"
    for name, text in provenance.options:
        yield f"{name}: {text}"
    versions = ", ".join(f"{name} {version}" for name, version in provenance.versions)
    yield from textwrap.wrap(f"versions: {versions}", _NOTE_WIDTH)
    yield ""


def _header(report: Report) -> tuple[str, ...]:
    def named(title: str, field: str) -> str:
        # The source of a column is that of its figures, which are all found the same way.
        sources = {dict(layer.figures())[field].source for layer in report.layers}
        return f"{title} [{'/'.join(sorted(sources))}]" if sources else title

    source = source_of_layers(report)
    return (
        "module",
        "engine",
        "shape",
        "bits",
        "pe",
        "simd",
        named("weights 1b", "weights_1bit"),
        named("weights 8b", "weights_8bit"),
        named("MACs 1b", "macs_1bit"),
        named("MACs 8b", "macs_8bit"),
        named("cycles", "cycles"),
        *(("busy [simulated]",) if report.timeline is not None else ()),
        named("weight bits", "weight_memory"),
        named("buffer bits", "buffer_memory"),
        named("FIFO bits", "fifo_memory"),
        *((f"{kind.upper()} [{source}]" for kind in RESOURCE_KINDS) if source else ()),
    )


def _cells(report: Report, layer: LayerReport) -> tuple[str, ...]:
    usage = layer_usage(layer, source_of_layers(report))
    busy = "-" if layer.activity is None else _shown(layer.activity.busy)
    return (
        layer.module or layer.name,
        layer.engine,
        "x".join(map(str, layer.shape)),
        str(layer.bits),
        str(layer.pe),
        str(layer.simd),
        _shown(layer.weights_1bit),
        _shown(layer.weights_8bit),
        _shown(layer.macs_1bit),
        _shown(layer.macs_8bit),
        _shown(layer.cycles),
        *((busy,) if report.timeline is not None else ()),
        _shown(layer.weight_memory),
        _shown(layer.buffer_memory),
        _shown(layer.fifo_memory),
        *((_shown(figure) for _, figure in usage.figures()) if usage is not None else ()),
    )


def _shown(figure: Figure) -> str:
    return number(figure.value) if figure.value else "-"


def _error_bar(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    if figure.low == figure.high:
        return "± 0"
    return f"{number(figure.low)} to {number(figure.high)}"


def _total_cells(report: Report) -> list[tuple[str, ...]]:
    return [
        (total.label, figure_text(total.figure), total.figure.unit, str(total.figure.source))
        for total in report.totals
    ]


def _fixed_width(
    header: Sequence[str], rows: Sequence[Sequence[str]], left: int = _LEFT_COLUMNS
) -> list[str]:
    # A tagged header takes two lines, so that columns stay as narrow as their numbers.
    upper = [title.partition(" [")[0] for title in header]
    lower = [f"[{tag}" if tag else "" for tag in (t.partition(" [")[2] for t in header)]
    head = [upper, lower] if any(lower) else [upper]
    widths = [max(map(len, column)) for column in zip(*head, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.ljust(width) if position < left else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )

    return [*map(line, head), "  ".join("-" * width for width in widths), *map(line, rows)]
