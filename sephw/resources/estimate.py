"""`estimate`: resources and clock rate of one engine, without synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from sephw.ir import Folding, Operator
from sephw.ir.resources import Resources
from sephw.resources.blocks import bram, dsp
from sephw.resources.clock import delays
from sephw.resources.features import features
from sephw.resources.flip_flops import flip_flops
from sephw.resources.model import load
from sephw.technologies import Technology


@dataclass(frozen=True)
class Estimate:
    """The estimate of one engine; ``fmax_mhz`` is infinite where the clock is not modelled."""

    resources: Resources
    fmax_mhz: float


def estimate(
    operator: Operator,
    folding: Folding,
    fifo_depths: Sequence[int],
    technology: Technology,
    *,
    solve: bool = False,
    fifos_in_blocks: bool = False,
) -> Estimate:
    """Resources and clock rate of an engine by itself; ``fifo_depths`` in beats, by output.

    ``solve``: solve the graph of an adder family (seconds, once per set of weights) instead of
    guessing its size. ``fifos_in_blocks``: output FIFOs are in block RAM, for which
    `plan_fifo_memories` chooses engines. Raises SephwError for a technology that has not been
    characterized.
    """
    model = load(technology)
    parts = operator.structure(folding, fifo_depths, solve=solve)
    if fifos_in_blocks:
        parts = replace(parts, outputs=tuple(replace(o, in_block=True) for o in parts.outputs))
    kind = operator.cost_kind(folding)
    counts = Resources(
        lut=round(model.lut(features(parts, technology, kind))),
        ff=flip_flops(parts, technology),
        bram=bram(parts, technology),
        dsp=dsp(parts, technology),
    )
    if not model.fmax:
        return Estimate(counts, inf)
    period = sum(model.fmax.get(n, 0.0) * d for n, d in delays(parts, technology).items())
    return Estimate(counts, 1000 / period)


__all__ = ["Estimate", "estimate"]
