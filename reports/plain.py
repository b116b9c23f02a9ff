"""Reports as plain values, for report.json and other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sephw.reports.matrix import verified_layers
from sephw.reports.model import Figure, LayerReport, Report
from sephw.reports.next_step import next_step, not_run, own_place
from sephw.reports.resources import Clock, ResourceReport, Routed, Usage
from sephw.verify import Verification


def as_dict(report: Report) -> dict[str, Any]:
    """JSON-able values; every figure is {"value", "unit", "source"}, with "low" and "high" where
    it has an error bar. Parts that have not been run are None; "not_run" says how to run them.
    Commands are for the export's own folder; "how" says what to do where none can be given.
    """
    resources, provenance = report.resources, report.provenance
    place = own_place(report)
    step = next_step(report, place)
    return {
        "network": report.network,
        "target": report.target,
        "part": report.part,
        "clock_ns": report.clock_ns,
        "bottleneck": report.bottleneck,
        "link": report.link,
        "next": {"why": step.why, "command": step.command, "how": step.how},
        "not_run": [
            {"what": part.what, "command": part.command, "how": part.how}
            for part in not_run(report, place)
        ],
        "totals": {total.name: _figure(total.figure) for total in report.totals},
        "resources": None if resources is None else _resources(resources),
        "verification": _verification(report.verification),
        "layers": [_layer(layer) for layer in report.layers],
        "provenance": None
        if provenance is None
        else {
            "model": {"file": provenance.model_file, "sha256": provenance.model_sha256},
            "stage": provenance.stage,
            "options": dict(provenance.options),
            "versions": dict(provenance.versions),
        },
        "notes": list(report.notes),
    }


def _figure(figure: Figure) -> dict[str, Any]:
    plain = {"value": figure.value, "unit": figure.unit, "source": str(figure.source)}
    if figure.low is not None and figure.high is not None:
        plain.update(low=figure.low, high=figure.high)
    return plain


def _usage(usage: Usage) -> dict[str, Any]:
    return {name: _figure(figure) for name, figure in usage.figures()}


def _layer(layer: LayerReport) -> dict[str, Any]:
    activity, estimated, synthesized = layer.activity, layer.estimated, layer.synthesized
    return {
        "name": layer.name,
        "module": layer.module,
        "kind": layer.kind,
        "shape": list(layer.shape),
        "bits": layer.bits,
        "folding": {
            "family": layer.family,
            "digit_bits": layer.options.get("digit_bits", 0),
            "pe": layer.pe,
            "simd": layer.simd,
        },
        **{name: _figure(figure) for name, figure in layer.figures()},
        "activity": None
        if activity is None
        else {name: _figure(figure) for name, figure in activity.figures()},
        "estimated": None if estimated is None else _usage(estimated),
        "synthesized": None if synthesized is None else _usage(synthesized),
    }


def _resources(resources: ResourceReport) -> dict[str, Any]:
    estimated, synthesized = resources.estimated, resources.synthesized
    return {
        "device": resources.device.name,
        "technology": resources.device.technology.name,
        "available": asdict(resources.device.available),
        "tools": dict(resources.tools),
        "note": resources.note,
        "board": resources.board,
        "estimated": None
        if estimated is None
        else {
            "total": _usage(estimated.total),
            "clock": None if estimated.clock is None else _figure(estimated.clock),
            "measured_engines": estimated.measured_engines,
            "measured_networks": 0 if estimated.bars is None else estimated.bars.networks,
            "coverage": None if estimated.bars is None else round(estimated.bars.coverage, 3),
            "top": None if estimated.top is None else _usage(estimated.top),
        },
        "synthesized": None
        if synthesized is None
        else {
            "total": _usage(synthesized.total),
            "outside": _usage(synthesized.outside),
            "top": synthesized.top,
        },
        "routed": None if resources.routed is None else _routed(resources.routed),
        "vendor": [
            {
                "name": run.name,
                "used": _usage(run.used),
                "available": asdict(run.available),
                "clocks": _clocks(run.clocks),
            }
            for run in resources.vendor
        ],
    }


def _routed(routed: Routed) -> dict[str, Any]:
    worst = routed.worst_path
    return {
        "part": routed.part,
        "used": _usage(routed.used),
        "available": asdict(routed.available),
        "clocks": _clocks(routed.clocks),
        "worst_path": None
        if worst is None
        else {
            "clock": worst.clock,
            "from_engine": worst.from_engine,
            "to_engine": worst.to_engine,
            "delay": _figure(worst.delay),
            "logic": _figure(worst.logic),
            "routing": _figure(worst.routing),
            "hops": _figure(worst.hops),
            "from_cell": worst.from_cell,
            "to_cell": worst.to_cell,
        },
        "seed": routed.seed,
        "bitstream": routed.bitstream,
    }


def _clocks(clocks: Sequence[Clock]) -> list[dict[str, Any]]:
    return [
        {
            "name": clock.name,
            "fmax": _figure(clock.fmax),
            "asked": None if clock.requested is None else _figure(clock.requested),
            "met": clock.met,
        }
        for clock in clocks
    ]


def _verification(verification: Verification | None) -> dict[str, Any] | None:
    if verification is None:
        return None
    matrix = verified_layers(verification)
    return {
        "exact": verification.exact,
        "samples": len(verification.samples),
        "data": verification.data,
        "layers": len(matrix.rows),
        "representations": {
            column.name: {
                "run": column.run,
                "tensors": column.tensors,
                "elements": column.elements,
                "mismatches": column.mismatches,
            }
            for column in matrix.columns
        },
    }
