"""report.html: one self-contained file, readable without network and JavaScript."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from sephw.ir.resources import RESOURCE_KINDS
from sephw.reports.bars import resource_bars
from sephw.reports.figures import short_figure_text
from sephw.reports.matrix import verified_layers
from sephw.reports.model import LayerReport, Report
from sephw.reports.next_step import next_step, not_run, own_place
from sephw.reports.numbers import number, percent, short
from sephw.reports.speed import ON_CHIP, OVER_LINK, latencies, rates
from sephw.reports.strips import HEIGHT, draw
from sephw.reports.where import by_group, by_kind, layer_usage, source_of_layers

_TEMPLATE = "report.html.j2"


def render_html(report: Report) -> str:
    """Render the whole report; the same report gives the same text."""
    resources, verification, timeline = report.resources, report.verification, report.timeline
    interval = int(report.total("frame_interval").value)
    source = source_of_layers(report)
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            report=report,
            kinds=RESOURCE_KINDS,
            bars=None if resources is None else resource_bars(resources),
            matrix=None if verification is None else verified_layers(verification),
            strips=None if timeline is None else draw(timeline, interval),
            strip_height=HEIGHT,
            groups=by_group(report),
            engine_kinds=by_kind(report),
            layer_source=source,
            usages=[layer_usage(layer, source) for layer in report.layers],
            modules={layer.name: layer.module or layer.name for layer in report.layers},
            rates=rates(report),
            latencies=latencies(report),
            on_chip=ON_CHIP,
            over_link=OVER_LINK,
            next_step=next_step(report, own_place(report)),
            not_run=not_run(report, own_place(report)),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sephw.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=number, short=short, figure_text=short_figure_text, folding=_folding, words=_words
    )
    environment.globals.update(percent=percent)
    return environment


def _folding(layer: LayerReport) -> str:
    """'4 × 1' (PE × SIMD), or the engine that takes all lanes."""
    return layer.variant if layer.whole_window else f"{layer.pe} × {layer.simd}"


def _words(kind: str) -> str:
    return kind.replace("_", " ")
