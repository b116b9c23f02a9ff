"""Resource totals by part of the network and by kind of engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sephw.ir import Resources
from sephw.reports.model import LayerReport, Report, Source
from sephw.reports.resources import Usage


@dataclass(frozen=True)
class Share:
    """The resources of a part of the network, or of all engines of a kind.

    ``memory_bits``: weights, buffers and FIFOs. ``used`` is None where the resources of one of the
    engines are unknown.
    """

    name: str
    engines: int
    macs_1bit: int
    macs_8bit: int
    memory_bits: int
    used: Resources | None


def source_of_layers(report: Report) -> Source | None:
    """The source of the per-engine resources to show: synthesized, else estimated."""
    if report.layers and all(layer.synthesized is not None for layer in report.layers):
        return Source.SYNTHESIZED
    if report.layers and all(layer.estimated is not None for layer in report.layers):
        return Source.ESTIMATED
    return None


def layer_usage(layer: LayerReport, source: Source | None) -> Usage | None:
    """The resources of an engine from one source."""
    if source is Source.SYNTHESIZED:
        return layer.synthesized
    return layer.estimated if source is Source.ESTIMATED else None


def by_group(report: Report) -> tuple[Share, ...]:
    """The resources of each part of the network, in network order."""
    return _shares(report, lambda layer: layer.group)


def by_kind(report: Report) -> tuple[Share, ...]:
    """The resources of each kind and family of engine, by descending LUTs, else memory."""
    shares = _shares(report, lambda layer: layer.engine)
    return tuple(
        sorted(shares, key=lambda s: (-(s.used.lut if s.used else 0), -s.memory_bits, s.name))
    )


def _shares(report: Report, name: Callable[[LayerReport], str]) -> tuple[Share, ...]:
    source = source_of_layers(report)
    found: dict[str, list[LayerReport]] = {}
    for layer in report.layers:
        found.setdefault(name(layer), []).append(layer)
    return tuple(_share(key, layers, source) for key, layers in found.items())


def _share(name: str, layers: Sequence[LayerReport], source: Source | None) -> Share:
    usages = [layer_usage(layer, source) for layer in layers]
    known = [usage.resources for usage in usages if usage is not None]
    return Share(
        name=name,
        engines=len(layers),
        macs_1bit=sum(int(layer.macs_1bit.value) for layer in layers),
        macs_8bit=sum(int(layer.macs_8bit.value) for layer in layers),
        memory_bits=sum(
            int(layer.weight_memory.value + layer.buffer_memory.value + layer.fifo_memory.value)
            for layer in layers
        ),
        used=sum(known, Resources()) if len(known) == len(layers) else None,
    )
