"""Greedy common-subexpression elimination over signed digits, with incremental pair counts.

State: each column (an input or a shared sum) holds the digits that rows still need of it, as bit
sets over (position, row), one for +1 and one for −1. A pair (i, j, distance, sign) occurs wherever
a row needs i at position p and ±j at p + distance. The most frequent pair becomes a new column;
among equals the one whose two columns are needed least elsewhere (this keeps busy columns free
for better matches, and is worth about 4 % of the adders over taking any).

Counts never rise: a new column's digits are a subset of its parts' digits. So for a count f all
pairs with at least f occurrences are listed once, and afterwards only pairs of the two columns
that changed and of the new one are counted again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sephw.adder_graph.builder import AdderGraphBuilder, ShiftedNode
from sephw.adder_graph.graph import Integers

Words = NDArray[np.uint64]
Progress = Callable[[float], None]
_BLOCK = 1 << 18


def signed_digits(weights: Integers) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Canonical signed digits (no two neighbours non-zero) of integers.

    int64 (rows, columns) -> plus and minus, each bool (positions, rows, columns).
    """
    rest = weights.copy()
    plus: list[NDArray[np.bool_]] = []
    minus: list[NDArray[np.bool_]] = []
    while rest.any():
        odd = (rest & 1) != 0
        # An odd number ends in 01 (digit +1) or 11 (digit −1, and carry).
        digit = np.where(odd, 2 - (rest & 3), 0)
        plus.append(digit == 1)
        minus.append(digit == -1)
        rest = (rest - digit) >> 1
    shape = (max(len(plus), 1), *weights.shape)
    return (
        np.array(plus, bool).reshape(shape) if plus else np.zeros(shape, bool),
        np.array(minus, bool).reshape(shape) if minus else np.zeros(shape, bool),
    )


def _pack(digits: NDArray[np.bool_]) -> Words:
    """bool (positions, rows, columns) -> uint64 (columns, positions, words of 64 rows)."""
    positions, rows, columns = digits.shape
    words = -(-rows // 64)
    padded = np.zeros((positions, words * 64, columns), np.uint8)
    padded[:, :rows] = digits
    packed = np.packbits(padded.transpose(2, 0, 1), axis=2, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64)


def _unpack(words: Words, rows: int) -> NDArray[np.bool_]:
    """uint64 (positions, words) -> bool (positions, rows)."""
    octets = np.ascontiguousarray(words.astype("<u8")).view(np.uint8)
    return np.unpackbits(octets, axis=1, bitorder="little")[:, :rows].astype(bool)


@dataclass
class _Candidates:
    """The pairs with the current count, as parallel arrays."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    kind: NDArray[np.int64]  # 2·distance + (1 where the signs differ)
    jitter: NDArray[np.float64]

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        self.first = self.first[chosen]
        self.second = self.second[chosen]
        self.kind = self.kind[chosen]
        self.jitter = self.jitter[chosen]

    def extend(self, other: _Candidates) -> None:
        self.first = np.concatenate([self.first, other.first])
        self.second = np.concatenate([self.second, other.second])
        self.kind = np.concatenate([self.kind, other.kind])
        self.jitter = np.concatenate([self.jitter, other.jitter])


class Eliminator:
    """One run over ``weights`` int64 (rows, len(columns)); row r becomes Σ weights · columns.

    ``generator`` breaks remaining ties at random; without one, the first pair is taken.
    ``max_depth`` bounds each row's depth: a pair is shared only by rows that can still be summed
    within it.
    """

    def __init__(
        self,
        builder: AdderGraphBuilder,
        columns: list[ShiftedNode],
        weights: Integers,
        *,
        max_depth: int | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        # A column whose digits are mostly negative is used negated: with ±-homogeneous columns
        # no negative digit is left, and only one sign needs counting.
        flip = (np.sign(weights).sum(axis=0) < 0) | (
            (np.sign(weights).sum(axis=0) == 0) & (weights.min(axis=0, initial=0) < 0)
        )
        weights = np.where(flip, -weights, weights)
        plus, minus = signed_digits(weights)
        self._builder = builder
        self._terms = [t.times(0, bool(f)) for t, f in zip(columns, flip, strict=True)]
        self._rows = weights.shape[0]
        self._plus, self._minus = _pack(plus), _pack(minus)
        self._count = len(self._terms)
        self._positions = plus.shape[0]
        self._kinds = [kind for kind in range(2 * self._positions) if kind % 2 == 0 or minus.any()]
        self._needed = self._popcount(np.arange(self._count))
        self._generator = generator
        self._limit = max_depth
        depths = np.array([builder.depths[t.node] for t in self._terms], np.int64)
        # Σ 2^depth over a row's digits; the row can be summed in d levels iff it is at most 2^d.
        self._load = ((plus | minus) * (np.int64(1) << depths)).sum(axis=(0, 2))

    def run(self, progress: Progress | None = None) -> list[ShiftedNode | None]:
        """Share pairs until none occurs twice, then sum each row. Returns one term per row."""
        total = max(int(self._needed[: self._count].sum()), 1)
        steps = 0
        frequency = int(self._needed[: self._count].max(initial=0))
        while frequency >= 2:
            candidates, most = self._scan(frequency)
            if candidates is None:
                needed = self._needed[: self._count]
                # Columns needed less often were not scanned; they bound what is left.
                below = int(needed[needed < frequency].max(initial=0))
                frequency = max(most, below)
                continue
            while candidates.first.size:
                self._step(candidates, frequency)
                steps += 1
                if progress is not None and steps % 64 == 0:
                    rest = int(self._needed[: self._count].sum())
                    progress(1.0 - rest / total)
            frequency -= 1
        return [self._builder.sum(terms) for terms in self._remaining()]

    def _popcount(self, columns: NDArray[np.int64]) -> NDArray[np.int64]:
        both = self._plus[columns] | self._minus[columns]
        return np.bitwise_count(both).sum(axis=(1, 2), dtype=np.int64)

    def _planes(self, column: NDArray[np.int64], start: int, stop: int) -> tuple[Words, Words]:
        return self._plus[column, start:stop], self._minus[column, start:stop]

    def _pairs(
        self, first: NDArray[np.int64], second: NDArray[np.int64], kind: int
    ) -> tuple[Words, Words]:
        """The occurrences of first + (±second << distance): as +1 digits and as −1 digits."""
        distance, opposite = divmod(kind, 2)
        a_plus, a_minus = self._planes(first, 0, self._positions - distance)
        b_plus, b_minus = self._planes(second, distance, self._positions)
        if opposite:
            b_plus, b_minus = b_minus, b_plus
        return a_plus & b_plus, a_minus & b_minus

    def _occurrences(
        self, first: NDArray[np.int64], second: NDArray[np.int64], kind: int
    ) -> NDArray[np.int64]:
        plus, minus = self._pairs(first, second, kind)
        counted = np.bitwise_count(plus).sum(axis=(-2, -1), dtype=np.int64)
        if len(self._kinds) > 1 or kind:
            counted = counted + np.bitwise_count(minus).sum(axis=(-2, -1), dtype=np.int64)
        return counted

    def _listed(self, parts: list[tuple[NDArray[np.int64], NDArray[np.int64], int]]) -> _Candidates:
        first = np.concatenate([p[0] for p in parts] or [np.zeros(0, np.int64)])
        second = np.concatenate([p[1] for p in parts] or [np.zeros(0, np.int64)])
        kind = np.concatenate([np.full(len(p[0]), p[2]) for p in parts] or [np.zeros(0, np.int64)])
        jitter = (
            np.zeros(len(first)) if self._generator is None else self._generator.random(len(first))
        )
        return _Candidates(first, second, kind.astype(np.int64), jitter)

    def _scan(self, frequency: int) -> tuple[_Candidates | None, int]:
        """All pairs with at least ``frequency`` occurrences, and the largest smaller count
        found.
        """
        # A column needed less than f times is in no pair that occurs f times.
        active = np.flatnonzero(self._needed[: self._count] >= frequency)
        parts: list[tuple[NDArray[np.int64], NDArray[np.int64], int]] = []
        most = 0
        width = max(1, _BLOCK // max(1, len(active) * self._plus[0].size))
        for kind in self._kinds:
            for start in range(0, len(active), width):
                block = active[start : start + width]
                # Same position: each unordered pair once.
                others = active[start:] if kind < 2 else active
                counts = self._occurrences(block[:, None], others[None, :], kind)
                if kind < 2:
                    counts[block[:, None] >= others[None, :]] = 0
                most = max(most, int(counts.max(initial=0)))
                row, column = np.nonzero(counts >= frequency)
                parts.append((block[row], others[column], kind))
        found = self._listed(parts)
        return (found if found.first.size else None), most

    def _step(self, candidates: _Candidates, frequency: int) -> None:
        score = self._needed[candidates.first] + self._needed[candidates.second] + candidates.jitter
        best = int(score.argmin())
        i, j = int(candidates.first[best]), int(candidates.second[best])
        made = self._share(i, j, int(candidates.kind[best]), frequency)
        if made is None:
            candidates.keep(np.arange(len(score)) != best)
            return
        touched = (
            (candidates.first == i)
            | (candidates.second == i)
            | (candidates.first == j)
            | (candidates.second == j)
        )
        stays = np.ones(len(score), bool)
        where = np.flatnonzero(touched)
        for kind in self._kinds:
            chosen = where[candidates.kind[where] == kind]
            if chosen.size:
                counts = self._occurrences(
                    candidates.first[chosen], candidates.second[chosen], kind
                )
                stays[chosen] = counts >= frequency
        candidates.keep(stays)
        fresh = self._fresh(made, frequency)
        if fresh.first.size:
            candidates.extend(fresh)

    def _fresh(self, made: int, frequency: int) -> _Candidates:
        """Pairs of the new column."""
        parts: list[tuple[NDArray[np.int64], NDArray[np.int64], int]] = []
        if self._needed[made] >= frequency:
            others = np.flatnonzero(self._needed[: self._count] >= frequency)
            mine = np.full(len(others), made)
            for kind in self._kinds:
                counts = self._occurrences(others, mine, kind)
                keep = (counts >= frequency) & ((kind >= 2) | (others != made))
                parts.append((others[keep], mine[keep], kind))
                if kind >= 2:
                    counts = self._occurrences(mine, others, kind)
                    keep = (counts >= frequency) & (others != made)
                    parts.append((mine[keep], others[keep], kind))
        return self._listed(parts)

    def _share(self, i: int, j: int, kind: int, frequency: int) -> int | None:
        """Make the pair a column if at least ``frequency`` rows can use it; returns its number or
        None.
        """
        distance, opposite = divmod(kind, 2)
        plus, minus = self._pairs(np.int64(i), np.int64(j), kind)  # type: ignore[arg-type]
        if i == j:
            plus, minus = _disjoint(plus, minus, distance)
        depth_i = self._builder.depths[self._terms[i].node]
        depth_j = self._builder.depths[self._terms[j].node]
        growth = (2 << max(depth_i, depth_j)) - (1 << depth_i) - (1 << depth_j)
        if self._limit is not None or growth:
            uses = _unpack(plus | minus, self._rows).sum(axis=0)
            load = self._load + uses * growth
            if self._limit is not None:
                fits = load <= (1 << self._limit)
                if not fits[uses > 0].all():
                    allowed = _pack(fits[None, :, None])[0]
                    plus, minus = plus & allowed, minus & allowed
                    load = np.where(fits, load, self._load)
        else:
            load = self._load
        if int(np.bitwise_count(plus | minus).sum()) < frequency:
            return None
        self._load = load
        span = self._positions - distance
        self._plus[i, :span] &= ~plus
        self._minus[i, :span] &= ~minus
        taken_plus, taken_minus = (minus, plus) if opposite else (plus, minus)
        self._plus[j, distance:] &= ~taken_plus
        self._minus[j, distance:] &= ~taken_minus
        made = self._append(
            self._builder.add(self._terms[i], self._terms[j].times(distance, bool(opposite)))
        )
        self._plus[made, :span] = plus
        self._minus[made, :span] = minus
        changed = np.array([i, j, made])
        self._needed[changed] = self._popcount(changed)
        return made

    def _append(self, term: ShiftedNode) -> int:
        if self._count == len(self._plus):
            self._plus = np.concatenate([self._plus, np.zeros_like(self._plus)])
            self._minus = np.concatenate([self._minus, np.zeros_like(self._minus)])
            self._needed = np.concatenate([self._needed, np.zeros_like(self._needed)])
        self._terms.append(term)
        self._count += 1
        return self._count - 1

    def _remaining(self) -> list[list[ShiftedNode]]:
        rows: list[list[ShiftedNode]] = [[] for _ in range(self._rows)]
        for column in np.flatnonzero(self._needed[: self._count]).tolist():
            for words, negate in ((self._plus[column], False), (self._minus[column], True)):
                for position, row in np.argwhere(_unpack(words, self._rows)).tolist():
                    rows[row].append(self._terms[column].times(position, negate))
        return rows


def _disjoint(plus: Words, minus: Words, distance: int) -> tuple[Words, Words]:
    """Drop occurrences of a column with itself that share a digit; lower positions win."""
    plus, minus = plus.copy(), minus.copy()
    for position in range(distance, len(plus)):
        taken = plus[position - distance] | minus[position - distance]
        plus[position] &= ~taken
        minus[position] &= ~taken
    return plus, minus
