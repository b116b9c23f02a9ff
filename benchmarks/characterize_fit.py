"""Fits the resource model to the points of `benchmarks.characterize` and measures its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls  # type: ignore[import-untyped]

from benchmarks.characterize_data import PointFile
from benchmarks.characterize_layers import Layer, build
from sephw.ir.resources import RESOURCE_KINDS
from sephw.resources.blocks import bram, dsp
from sephw.resources.clock import delays
from sephw.resources.features import Features, features
from sephw.resources.flip_flops import flip_flops
from sephw.resources.model import Errors, weighted
from sephw.technologies import CHARACTERIZATION, LOGIC, Technology

HELD_OUT_SHARE = 0.25
# Below so many LUTs an error counts as one of so many.
LEAST_LUTS = 30.0
# LUTs per unit of a feature that one expects, by name or by its first word; elsewhere 1. What few
# engines show stays near it: a coefficient twice as large counts like an error of this share.
PRIOR_WEIGHT = 0.06
# A relative error beyond this counts in proportion, not squared: a few layers that the features
# describe badly do not bend the coefficients of the others. Both numbers: cross-validated over the
# fitted layers.
OUTLIER = 0.05
_ROUNDS = 12
PRIOR = {
    "once": 20.0,
    "counter:1": 2.0,
    "counter:2": 3.0,
    "counter:3": 5.0,
    "counter:4": 6.0,
    "counter:bits": 0.8,
    "credit:2": 4.0,
    "credit:3": 6.0,
    "credit:4": 9.0,
    "credit:once": 4.0,
    "credit": 0.6,
    "place:2": 3.0,
    "place:3": 4.0,
    "place:4": 6.0,
    "registers:choice": 0.7,
    "table:1": 0.5,
    "compare_bits": 0.9,
    "shift_bits": 0.75,
    "clip_bits": 0.4,
    "clipped_bits": 0.5,
    "control_bits": 1.7,
    "serial_adders:1": 2.0,
    "serial_adders:2": 3.0,
    "serial_adders:4": 6.0,
    "serial_adders:8": 10.0,
    "serial_shifts": 0.1,
    "multiplier:rows": 1.5,
    "multiplier:once": 5.0,
    "rows:writes": 1.5,
    "gates:1": 0.8,
    "gates:2": 1.5,
    "chained_bits": 0.1,
}
# LUTs of six inputs take in more.
WIDE_PRIOR = {
    "once": 15.0,
    "counter:2": 2.0,
    "counter:3": 4.0,
    "counter:4": 5.0,
    "credit:2": 3.0,
    "credit:3": 5.0,
    "credit:4": 7.0,
    "registers:choice": 0.35,
    "rows": 0.5,
    "compare_bits": 0.6,
    "shift_bits": 0.5,
    "clip_bits": 0.3,
    "control_bits": 1.2,
    "serial_adders:2": 3.0,
    "serial_adders:4": 5.0,
    "serial_adders:8": 9.0,
    "multiplier:rows": 1.0,
    "gates:1": 0.1,
    "gates:2": 1.0,
}
# What engines may have; a coefficient for each, also where no layer shows it.
ALL_NAMES = (
    *(name for name in PRIOR if name not in ("once", "serial_shifts")),
    *(f"serial_shifts:{digit}" for digit in (1, 2, 4, 8)),
    "adder",
    "adder:small",
    "counter",
    "counter:once",
    "credit:bits",
    "credit:1",
    "credit:small",
    "load_bits",
    "pair:choice",
    "parts:choice",
    "delay_chains",
    "multiplier",
    "multiplier:small",
    "mux_bits",
    "place",
    "place:1",
    "place:bits",
    "place:once",
    "place:power",
    "registers:two",
    "registers:words",
    "rows:block",
    "rows:lut",
    "table:2",
    "table:3",
    "table:4",
    "table:5",
    "table:6",
    "table:once",
    "table:words",
    "xor_bits",
)


def held_out(index: int) -> bool:
    """True for layers that no coefficient is fitted to."""
    return bool(np.random.default_rng((1607, index)).random() < HELD_OUT_SHARE)


@dataclass(frozen=True)
class Measured:
    """A point with what the model knows of it, the graphs of adder families solved or not."""

    index: int
    kind: str
    layer: Layer
    solved: Features
    unsolved: Features
    counted: Mapping[str, int]
    found: Mapping[str, int]


def measured(points: PointFile) -> list[Measured]:
    """All points of a technology."""
    rows = []
    for index, point in sorted(points.points.items()):
        made = build(point)
        structure, guessed = (
            made.operator.structure(made.folding, made.fifo_depths, solve=solve)
            for solve in (True, False)
        )
        kind = made.operator.cost_kind(made.folding)
        rows.append(
            Measured(
                index,
                kind,
                made,
                features(structure, points.technology, kind),
                features(guessed, points.technology, kind),
                {
                    "ff": flip_flops(structure, points.technology),
                    "bram": bram(structure, points.technology),
                    "dsp": dsp(structure, points.technology),
                },
                {name: point[name] for name in RESOURCE_KINDS},
            )
        )
    return rows


def fit_luts(technology: Technology, rows: Sequence[Measured]) -> dict[str, float]:
    """Least squares of relative errors, no coefficient below 0, each drawn towards its prior.

    Errors beyond `OUTLIER` count less (Huber's loss, by reweighting). Coefficients that no engine
    shows are their priors.
    """
    names = sorted({*ALL_NAMES, *(name for row in rows for name in row.solved.counts)})
    counts = np.array([[row.solved.counts.get(name, 0.0) for name in names] for row in rows])
    luts = np.array([row.found["lut"] for row in rows], float)
    targets = luts - np.array([row.solved.fixed for row in rows])
    priors = np.array([_prior(technology, name) for name in names])
    weights = 1 / np.maximum(luts, LEAST_LUTS)
    found = _least_squares(names, counts, targets, weights, priors)
    for _ in range(_ROUNDS):
        estimated = counts @ [found[name] for name in names]
        off = np.abs(estimated - targets) * weights
        less = np.sqrt(OUTLIER / np.maximum(off, OUTLIER))
        found = _least_squares(names, counts, targets, weights * less, priors)
    return found


def fit_period(
    technology: Technology, found: Sequence[tuple[Mapping[str, float], float]]
) -> dict[str, float]:
    """Coefficients of the clock period from (terms, MHz) of routed engines.

    Drawn towards the technology's prior; none where it has none, or no engine was routed.
    """
    clock = technology.require(CHARACTERIZATION).clock
    prior = {} if clock is None else clock.prior
    names = sorted(prior)
    if not names or not found:
        return {}
    counts = np.array([[c[name] for name in names] for c, _ in found]).reshape(-1, len(names))
    periods = np.array([1000 / mhz for _, mhz in found])
    priors = np.array([prior[name] for name in names])
    return _least_squares(names, counts, periods, 1 / periods, priors)


def _prior(technology: Technology, name: str) -> float:
    wide = WIDE_PRIOR if technology.require(LOGIC).lut_inputs >= 6 else {}
    for known in ({**PRIOR, **wide}.get(key) for key in (name, name.split(":")[0])):
        if known is not None:
            return known
    return 1.0


def _least_squares(
    names: Sequence[str], counts: Any, targets: Any, weights: Any, priors: Any
) -> dict[str, float]:
    rows, targets = counts * weights[:, None], targets * weights
    if len(priors):
        # One more row for each coefficient: its relative distance from the prior.
        rows = np.concatenate([rows, np.diag(PRIOR_WEIGHT / priors)])
        targets = np.concatenate([targets, np.full(len(priors), PRIOR_WEIGHT)])
    scale = np.maximum(np.abs(rows).max(axis=0), 1e-12)
    solution, _ = nnls(rows / scale, targets)
    return {
        name: round(float(value), 4) for name, value in zip(names, solution / scale, strict=True)
    }


def errors(pairs: Sequence[tuple[float, float]]) -> Errors:
    """Of (estimate, measured)."""
    if not pairs:
        return Errors(0, 0.0, 0.0, 0.0, 1.0)
    relative = [abs(e - m) / max(m, 1) for e, m in pairs]
    return Errors(
        count=len(pairs),
        median=round(float(np.median(relative)), 4),
        p90=round(float(np.quantile(relative, 0.9)), 4),
        largest=round(float(max(relative)), 4),
        exact=round(float(np.mean([round(e) == m for e, m in pairs])), 4),
    )


def accuracy(rows: Sequence[Measured], luts: Mapping[str, float]) -> dict[str, Any]:
    """Errors on ``rows``, as `sephw.resources.model` reads them; without clocks and networks."""

    def of(estimate: Callable[[Measured], float], name: str, some: Sequence[Measured]) -> Errors:
        return errors([(estimate(row), row.found[name]) for row in some])

    graphs = [row for row in rows if row.layer.folding.engine.solves_graph]
    kinds = sorted({row.kind for row in rows})
    return {
        "lut": asdict(of(lambda row: round(weighted(row.solved, luts)), "lut", rows)),
        "lut_unsolved": asdict(of(lambda row: weighted(row.unsolved, luts), "lut", graphs)),
        **{
            name: asdict(of(lambda row, name=name: row.counted[name], name, rows))  # type: ignore[misc]
            for name in ("ff", "bram", "dsp")
        },
        "by_kind": {
            kind: asdict(
                of(
                    lambda row: weighted(row.solved, luts),
                    "lut",
                    [row for row in rows if row.kind == kind],
                )
            )
            for kind in kinds
        },
    }


__all__ = ["Measured", "accuracy", "delays", "errors", "fit_luts", "fit_period", "held_out"]
