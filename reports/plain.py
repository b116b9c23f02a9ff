"""Reports as plain values, for report.json and other programs."""

from __future__ import annotations

from typing import Any

from reports.model import Figure, Report


def as_dict(report: Report) -> dict[str, Any]:
    """JSON-able values; every figure is {"value", "unit", "source"}."""
    return {
        "network": report.network,
        "target": report.target,
        "part": report.part,
        "clock_ns": report.clock_ns,
        "bottleneck": report.bottleneck,
        "totals": {total.name: _figure(total.figure) for total in report.totals},
        "layers": [
            {
                "name": layer.name,
                "module": layer.module,
                "kind": layer.kind,
                "shape": list(layer.shape),
                "bits": layer.bits,
                "folding": {
                    "family": layer.family,
                    "digit_bits": layer.digit_bits,
                    "pe": layer.pe,
                    "simd": layer.simd,
                },
                **{name: _figure(figure) for name, figure in layer.figures()},
            }
            for layer in report.layers
        ],
        "notes": list(report.notes),
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {"value": figure.value, "unit": figure.unit, "source": str(figure.source)}
