"""Reports as text: a fixed-width file, and a table for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.model import Figure, LayerReport, Report

if TYPE_CHECKING:
    from rich.table import Table

_LEFT_COLUMNS = 3
_NOTE_WIDTH = 100
_SLOWEST_TITLE = "slowest engines (MACs counted, cycles per frame estimated)"


def render_text(report: Report) -> str:
    """The whole report, fixed width, ending in a newline."""
    lines = [
        f"{report.network} on {report.target} ({report.part}), clock {report.clock_ns:g} ns",
        "",
        *_fixed_width(_header(report), [_cells(layer) for layer in report.layers]),
        "",
        *_fixed_width(("total", "value", "unit", "source"), _total_cells(report), left=1),
        "",
        f"bottleneck: {report.bottleneck}",
        "",
        *(line for note in report.notes for line in textwrap.wrap(note, _NOTE_WIDTH)),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


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


def number(value: int | float) -> str:
    """Thousands separators; a fraction has at most three digits after the point."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def _header(report: Report) -> tuple[str, ...]:
    def named(title: str, field: str) -> str:
        # The source of a column is that of its figures, which are all found the same way.
        sources = {dict(layer.figures())[field].source for layer in report.layers}
        return f"{title} [{'/'.join(sorted(sources))}]" if sources else title

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
        named("weight bits", "weight_memory"),
        named("buffer bits", "buffer_memory"),
        named("FIFO bits", "fifo_memory"),
    )


def _cells(layer: LayerReport) -> tuple[str, ...]:
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
        _shown(layer.weight_memory),
        _shown(layer.buffer_memory),
        _shown(layer.fifo_memory),
    )


def _shown(figure: Figure) -> str:
    return number(figure.value) if figure.value else "-"


def _total_cells(report: Report) -> list[tuple[str, ...]]:
    return [
        (total.label, number(total.figure.value), total.figure.unit, str(total.figure.source))
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
