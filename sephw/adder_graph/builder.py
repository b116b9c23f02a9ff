"""Builder of adder graphs: each addition is made once, and sums are balanced trees."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sephw.adder_graph.graph import Adder, AdderGraph, Interval, Output


@dataclass(frozen=True)
class ShiftedNode:
    """±(node << shift)."""

    node: int
    shift: int = 0
    negate: bool = False

    def times(self, shift: int, negate: bool) -> ShiftedNode:
        """This term shifted left by ``shift`` more, and negated where ``negate``."""
        return ShiftedNode(self.node, self.shift + shift, self.negate != negate)


class AdderGraphBuilder:
    """A growing adder graph. An addition that exists already, up to sign and shift, is reused."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.depths = [0] * inputs
        # Σ |coefficient|, an upper bound that orders terms by width.
        self._sizes = [1] * inputs
        self._adders: list[Adder] = []
        self._known: dict[Adder, int] = {}

    def add(self, a: ShiftedNode, b: ShiftedNode) -> ShiftedNode:
        """The sum of two terms; not negated unless both are, or the negated sum exists already."""
        if a.negate == b.negate:
            if (a.shift, a.node) > (b.shift, b.node):
                a, b = b, a
        elif a.negate:
            a, b = b, a
        shift = min(a.shift, b.shift)
        adder = Adder(a.node, a.shift - shift, b.node, b.shift - shift, a.negate != b.negate)
        if adder.subtract:
            opposite = Adder(b.node, b.shift - shift, a.node, a.shift - shift, True)
            if opposite in self._known:
                return ShiftedNode(self._known[opposite], shift, True)
        node = self._known.get(adder)
        if node is None:
            node = self.inputs + len(self._adders)
            self._known[adder] = node
            self._adders.append(adder)
            self.depths.append(1 + max(self.depths[a.node], self.depths[b.node]))
            self._sizes.append(
                (self._sizes[a.node] << adder.left_shift)
                + (self._sizes[b.node] << adder.right_shift)
            )
        return ShiftedNode(node, shift, a.negate)

    def sum(self, terms: Iterable[ShiftedNode]) -> ShiftedNode | None:
        """The sum of terms as a tree of least depth, narrow terms first. None for no terms."""
        heap = [
            (self.depths[t.node], self._sizes[t.node] << t.shift, order, t)
            for order, t in enumerate(terms)
        ]
        if not heap:
            return None
        heapq.heapify(heap)
        order = len(heap)
        while len(heap) > 1:
            a, b = heapq.heappop(heap)[3], heapq.heappop(heap)[3]
            total = self.add(a, b)
            size = self._sizes[total.node] << total.shift
            heapq.heappush(heap, (self.depths[total.node], size, order, total))
            order += 1
        return heap[0][3]

    def finish(
        self, inputs: tuple[Interval, ...], outputs: Iterable[ShiftedNode | None]
    ) -> AdderGraph:
        """The finished graph, without the adders that no output needs.

        A negated output whose difference nothing else reads becomes the reversed difference.
        """
        terms = list(outputs)
        adders = list(self._adders)
        live = {t.node for t in terms if t is not None}
        read: set[int] = set()
        for index in range(len(adders) - 1, -1, -1):
            if self.inputs + index in live:
                read |= {adders[index].left, adders[index].right}
                live |= {adders[index].left, adders[index].right}
        plain = {t.node for t in terms if t is not None and not t.negate}
        turned: set[int] = set()
        for term in terms:
            if term is None or term.node in read | plain | turned or term.node < self.inputs:
                continue
            adder = adders[term.node - self.inputs]
            if adder.subtract:
                turned.add(term.node)
                adders[term.node - self.inputs] = Adder(
                    adder.right, adder.right_shift, adder.left, adder.left_shift, True
                )
        place = {node: node for node in range(self.inputs)}
        kept: list[Adder] = []
        for index, adder in enumerate(adders):
            if self.inputs + index in live:
                place[self.inputs + index] = self.inputs + len(kept)
                kept.append(replace(adder, left=place[adder.left], right=place[adder.right]))
        return AdderGraph(
            inputs,
            tuple(kept),
            tuple(
                Output(None)
                if t is None
                else Output(place[t.node], t.shift, t.negate != (t.node in turned))
                for t in terms
            ),
        )
