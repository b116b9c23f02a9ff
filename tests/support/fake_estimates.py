"""Resource models for tests of the folding search: simple enough to be checked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sephw.ir import Folding, Operator, Saving
from sephw.ir.resources import Resources
from sephw.technologies import Technology


@dataclass(frozen=True)
class Guess:
    """What an estimator answers."""

    resources: Resources
    fmax_mhz: float = 100.0


_WEIGHTS = {
    "sliding_window": 7,
    "pattern_conv": 11,
    "conv8": 13,
    "join": 17,
    "width_converter": 5,
    "fork": 3,
}


def by_lanes(
    operator: Operator,
    folding: Folding,
    fifo_depths: Sequence[int],
    technology: Technology,
    *,
    solve: bool = False,
    fifos_in_blocks: bool = False,
) -> Guess:
    """Logic by kind and lanes, multipliers as asked for; FIFOs cost nothing."""
    lanes = folding.pe * folding.simd
    weight = _WEIGHTS.get(operator.kind, 2)
    lut = 10 + weight * (folding.pe + folding.simd)
    dsp = lanes if operator.kind in ("conv8", "join") else 0
    if Saving.DSP_BLOCKS in folding.engine.saves:
        lut, dsp = lut + 40 * dsp, 0
    bram = 1 + lanes // 4 if operator.kind == "sliding_window" else 0
    if folding.engine.whole_window:
        lut += 300 // max(1, 9 - getattr(folding.engine, "digit_bits", 0))
    return Guess(Resources(lut, 2 * lut, bram, dsp), 200.0 if lanes < 8 else 120.0)


def with_fifos(
    operator: Operator,
    folding: Folding,
    fifo_depths: Sequence[int],
    technology: Technology,
    *,
    solve: bool = False,
    fifos_in_blocks: bool = False,
) -> Guess:
    """The same, and a LUT for every 8 bits in a FIFO."""
    guess = by_lanes(operator, folding, fifo_depths, technology, solve=solve)
    streams = operator.output_streams(folding)
    bits = sum(
        stream.width_bits * depth for stream, depth in zip(streams, fifo_depths, strict=True)
    )
    return Guess(guess.resources + Resources(lut=bits // 8), guess.fmax_mhz)


def constant(lut: int, fmax_mhz: float = 100.0, **counts: int):
    """Every engine takes the same; forks and converters nothing."""

    def estimator(
        operator: Operator,
        folding: Folding,
        fifo_depths: Sequence[int],
        technology: Technology,
        *,
        solve: bool = False,
        fifos_in_blocks: bool = False,
    ) -> Guess:
        if operator.kind in ("fork", "width_converter"):
            return Guess(Resources(), 1e9)
        return Guess(Resources(lut=lut, **counts), fmax_mhz)

    return estimator
