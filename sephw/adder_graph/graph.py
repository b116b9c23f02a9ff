"""The adder graph: two-operand additions that compute a constant matrix times a vector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """All integers from ``low`` to ``high``."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise SephwError(f"interval {self.low}..{self.high} is empty; give the low end first")

    @property
    def signed(self) -> bool:
        return self.low < 0

    @property
    def bits(self) -> int:
        """The least width that holds both ends, at least 1: two's complement if ``signed``."""
        if self.signed:
            return max((-self.low - 1).bit_length(), self.high.bit_length()) + 1
        return max(self.high.bit_length(), 1)

    @property
    def signed_bits(self) -> int:
        """The least width in two's complement that holds both ends."""
        return self.bits if self.signed else self.high.bit_length() + 1


@dataclass(frozen=True)
class Adder:
    """(left << left_shift) ± (right << right_shift); minus where ``subtract``."""

    left: int
    left_shift: int
    right: int
    right_shift: int
    subtract: bool


@dataclass(frozen=True)
class Output:
    """±(node << shift), or the constant 0 where ``node`` is None."""

    node: int | None
    shift: int = 0
    negate: bool = False


@dataclass(frozen=True)
class AdderGraph:
    """Nodes 0 … inputs−1 are the inputs; node inputs+k is ``adders[k]``, in topological order.

    Intervals are exact: inputs are independent, so a node's ends follow from its coefficients.
    Raises SephwError where an adder or output refers to a node that does not exist before it.
    """

    inputs: tuple[Interval, ...]
    adders: tuple[Adder, ...]
    outputs: tuple[Output, ...]

    def __post_init__(self) -> None:
        first = len(self.inputs)
        for index, adder in enumerate(self.adders):
            within = 0 <= min(adder.left, adder.right) <= max(adder.left, adder.right)
            if not within or max(adder.left, adder.right) >= first + index:
                raise SephwError(
                    f"adder graph: adder {index} reads nodes {adder.left} and {adder.right}, "
                    f"but only nodes 0..{first + index - 1} stand before it"
                )
            if min(adder.left_shift, adder.right_shift) < 0:
                raise SephwError(f"adder graph: adder {index} shifts right; only left shifts exist")
        for index, output in enumerate(self.outputs):
            if output.node is not None and not 0 <= output.node < self.nodes:
                raise SephwError(
                    f"adder graph: output {index} reads node {output.node}; "
                    f"the graph has nodes 0..{self.nodes - 1}"
                )
            if output.shift < 0:
                raise SephwError(
                    f"adder graph: output {index} shifts right; only left shifts exist"
                )

    @property
    def nodes(self) -> int:
        return len(self.inputs) + len(self.adders)

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """The number of additions on the longest path from an input to each node."""
        found = [0] * len(self.inputs)
        for adder in self.adders:
            found.append(1 + max(found[adder.left], found[adder.right]))
        return tuple(found)

    @property
    def depth(self) -> int:
        """The number of additions on the longest path from an input to an output."""
        return max((self.depths[o.node] for o in self.outputs if o.node is not None), default=0)

    @property
    def negations(self) -> int:
        """The number of negated outputs; each costs one more adder where a sign cannot be kept."""
        return sum(output.negate for output in self.outputs)

    @cached_property
    def coefficients(self) -> Integers:
        """int64 (nodes, inputs): node = Σ coefficient · input."""
        first = len(self.inputs)
        rows = np.zeros((self.nodes, first), np.int64)
        rows[np.arange(first), np.arange(first)] = 1
        for index, adder in enumerate(self.adders):
            right = rows[adder.right] << adder.right_shift
            left = rows[adder.left] << adder.left_shift
            rows[first + index] = left - right if adder.subtract else left + right
        rows.setflags(write=False)
        return rows

    @property
    def matrix(self) -> Integers:
        """int64 (outputs, inputs): the matrix that this graph multiplies by."""
        rows = np.zeros((len(self.outputs), len(self.inputs)), np.int64)
        for index, output in enumerate(self.outputs):
            if output.node is not None:
                row = self.coefficients[output.node] << output.shift
                rows[index] = -row if output.negate else row
        return rows

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """Exact interval of each node."""
        return self._reach(self.coefficients)

    @cached_property
    def output_intervals(self) -> tuple[Interval, ...]:
        """Exact interval of each output."""
        return self._reach(self.matrix)

    def _reach(self, rows: Integers) -> tuple[Interval, ...]:
        low = np.array([i.low for i in self.inputs], np.int64)
        high = np.array([i.high for i in self.inputs], np.int64)
        plus, minus = np.maximum(rows, 0), np.minimum(rows, 0)
        lows = plus @ low + minus @ high
        highs = plus @ high + minus @ low
        return tuple(
            Interval(int(a), int(b)) for a, b in zip(lows.tolist(), highs.tolist(), strict=True)
        )

    def evaluate(self, vectors: Integers) -> Integers:
        """Run the additions. ``vectors`` int64 (n, inputs) -> int64 (n, outputs)."""
        values = [*np.ascontiguousarray(vectors.T)]
        for adder in self.adders:
            right = values[adder.right] << adder.right_shift
            left = values[adder.left] << adder.left_shift
            values.append(left - right if adder.subtract else left + right)
        result = np.zeros((len(vectors), len(self.outputs)), np.int64)
        for index, output in enumerate(self.outputs):
            if output.node is not None:
                value = values[output.node] << output.shift
                result[:, index] = -value if output.negate else value
        return result
