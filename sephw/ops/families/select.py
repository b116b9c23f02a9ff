"""Family select: constants in memory, pe × simd lanes, one memory word per issue."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sephw.errors import SephwError
from sephw.ir import Folding, Operator, Saving
from sephw.ir.operator import check_choice, divisors
from sephw.ops.families.base import ConvolutionEngine, ConvolutionVariant
from sephw.ops.families.select_engine import SelectEngine
from sephw.ops.families.streamed import StreamedSelectEngine

if TYPE_CHECKING:
    from sephw.ops.convolution import FoldedConvolution

# Pixels of the tiles that a search tries for streamed weights: the largest legal sizes up to these.
_TILES = (8, 64)


class Multipliers(StrEnum):
    """The implementation of an engine's multipliers: hard blocks, or adders in logic."""

    DSP = "dsp"
    LUT = "lut"


class WeightPlace(StrEnum):
    """Where an engine's weights are: in on-chip memory, or streamed to it from outside."""

    CHIP = "chip"
    STREAM = "stream"


@dataclass(frozen=True)
class SelectChoices:
    """The legal values of each option of `Select` for one operator."""

    multipliers: tuple[Multipliers, ...] = (Multipliers.DSP,)
    weights: tuple[WeightPlace, ...] = (WeightPlace.CHIP,)
    adder_levels: tuple[int, ...] = (1,)
    tile_pixels: tuple[int, ...] = (1,)


@runtime_checkable
class SelectOperator(Protocol):
    """An operator whose foldings may name `Select`."""

    @property
    def select_choices(self) -> SelectChoices:
        """The legal options."""


@dataclass(frozen=True)
class Select(ConvolutionVariant):
    """Constants in memory, pe × simd lanes.

    ``multipliers`` changes no integers; in logic, 8-bit products take 2 cycles of latency more.
    ``weights`` changes neither integers nor schedule; streamed ones come through a port of their
    own. ``adder_levels``: levels of the pattern adders between two registers; more save flip-flops
    and latency, and lower the clock. ``tile_pixels``: output pixels that each word of streamed
    weights serves before the next one comes; buffers hold what the tile's pixels read and make.
    """

    multipliers: Multipliers = Multipliers.DSP
    weights: WeightPlace = WeightPlace.CHIP
    adder_levels: int = 1
    tile_pixels: int = 1

    @property
    def tile(self) -> int:
        return self.tile_pixels

    @property
    def multiplies_in_logic(self) -> bool:
        """True where multipliers are adders in logic, False where they are DSP blocks."""
        return self.multipliers is Multipliers.LUT

    @property
    def saves(self) -> frozenset[Saving]:
        found = {
            Saving.REGISTERS: self.adder_levels > 1,
            Saving.DSP_BLOCKS: self.multiplies_in_logic,
            Saving.WEIGHT_MEMORY: self.weights is WeightPlace.STREAM,
        }
        return frozenset(saving for saving, is_saved in found.items() if is_saved)

    def describe(self) -> str:
        parts = [self.label]
        if self.multiplies_in_logic:
            parts.append("LUT")
        if self.weights is WeightPlace.STREAM:
            parts.append("streamed")
        if self.tile_pixels > 1:
            parts.append(f"tiles of {self.tile_pixels}")
        if self.adder_levels > 1:
            parts.append(f"{self.adder_levels} adders a register")
        return ", ".join(parts)

    def alternatives(self, operator: Operator, saving: Saving) -> tuple[Select, ...]:
        choices = _choices(operator)
        if saving is Saving.REGISTERS:
            return tuple(replace(self, adder_levels=n) for n in choices.adder_levels if n > 1)
        if saving is Saving.DSP_BLOCKS:
            more = Multipliers.LUT in choices.multipliers
            return (replace(self, multipliers=Multipliers.LUT),) if more else ()
        if WeightPlace.STREAM not in choices.weights:
            return ()
        tiles = {1, *(max(n for n in choices.tile_pixels if n <= most) for most in _TILES)}
        return tuple(
            replace(self, weights=WeightPlace.STREAM, tile_pixels=tile) for tile in sorted(tiles)
        )

    def check(self, operator: Operator, where: str) -> None:
        choices = _choices(operator)
        if self.multipliers not in choices.multipliers:
            raise SephwError(
                f"{where}: multipliers={self.multipliers} is for engines that multiply, and "
                f"{operator.kind} does not; leave it away"
            )
        if self.tile_pixels > 1 and self.weights is not WeightPlace.STREAM:
            streams = WeightPlace.STREAM in choices.weights
            fix = f"give weights={WeightPlace.STREAM} or leave it away"
            raise SephwError(
                f"{where}: tile_pixels={self.tile_pixels} is for weights that are streamed; "
                f"{fix if streams else 'leave it away'}"
            )
        for option in fields(self):
            legal = getattr(choices, option.name)
            check_choice(where, option.name, getattr(self, option.name), legal)

    @classmethod
    def foldings(cls, operator: FoldedConvolution) -> tuple[Folding, ...]:
        """pe | out_channels/groups, simd | in_channels/groups; of equal ones the wider simd first.

        Wider simd means fewer accumulators and a wider, so less often read, window stream.
        """
        pairs = (
            Folding(pe=pe, simd=simd)
            for pe in divisors(operator.group_outputs)
            for simd in divisors(operator.group_inputs)
        )
        return tuple(sorted(pairs, key=lambda f: (f.pe * f.simd, f.pe)))

    def build(self, operator: FoldedConvolution, folding: Folding) -> ConvolutionEngine:
        streams = self.weights is WeightPlace.STREAM
        return (StreamedSelectEngine if streams else SelectEngine)(operator, folding, self)


def _choices(operator: Operator) -> SelectChoices:
    if not isinstance(operator, SelectOperator):
        raise TypeError(f"{operator.kind} has no engine of family {Select.family}")
    return operator.select_choices
