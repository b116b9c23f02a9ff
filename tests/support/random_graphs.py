"""Random graphs of engines that have schedules and nothing else, for tests of the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sephw.ir import (
    Case,
    Folding,
    Graph,
    HlsInstance,
    IntType,
    Memory,
    Node,
    Operator,
    Schedule,
    Stream,
    Structure,
    Tensor,
)

BIT = IntType(1, False)
ONLY = Folding(pe=1, simd=1)


@dataclass(frozen=True, eq=False)
class Scheduled(Operator):
    """An engine with a given schedule; one-bit beats, one lane."""

    kind = "scheduled"

    plan: Schedule

    @property
    def input_shapes(self):
        return tuple((1, 1, int(r.sum())) for r in self.plan.reads)

    @property
    def output_shapes(self):
        return tuple((1, 1, int(w.sum())) for w in self.plan.writes)

    @property
    def input_types(self):
        return (BIT,) * len(self.plan.reads)

    @property
    def output_types(self):
        return (BIT,) * len(self.plan.writes)

    def reference(self, *inputs):
        return tuple(np.zeros((len(inputs[0]), *s), np.int64) for s in self.output_shapes)

    def legal_foldings(self):
        return (ONLY,)

    def input_streams(self, folding: Folding):
        return tuple(Stream(BIT, 1, shape[2]) for shape in self.input_shapes)

    def output_streams(self, folding: Folding):
        return tuple(Stream(BIT, 1, shape[2]) for shape in self.output_shapes)

    def schedule(self, folding: Folding) -> Schedule:
        return self.plan

    def memory(self, folding: Folding) -> Memory:
        return Memory()

    def structure(self, folding: Folding, fifo_depths, *, solve: bool = True) -> Structure:
        return Structure()

    def hls(self, folding: Folding) -> HlsInstance:
        raise NotImplementedError

    def rtl(self, folding: Folding):
        raise NotImplementedError

    @classmethod
    def cases(cls) -> Iterator[Case]:
        return iter(())


def random_graph(seed: int, *, most_words: int = 12, deep: bool = False) -> Graph:
    """1–7 engines of random schedules, latencies and intervals; every tensor has one reader.

    Streams that no engine happens to read are graph outputs. ``deep``: FIFOs that never fill.
    """
    rng = np.random.default_rng(seed)
    tensors: dict[str, Tensor] = {}
    loose: list[str] = []
    inputs: list[str] = []
    nodes: list[Node] = []

    def tensor(name: str, words: int) -> str:
        depth = 1000 if deep else int(rng.integers(1, 7))
        tensors[name] = Tensor(name, 1, 1, words, BIT, fifo_depth=depth)
        return name

    def mask(issues: int, words: int) -> np.ndarray:
        chosen = np.zeros(issues, np.uint8)
        chosen[rng.choice(issues, words, replace=False)] = 1
        return chosen

    for e in range(int(rng.integers(1, 8))):
        reads = [loose.pop(int(rng.integers(len(loose)))) for _ in range(3) if loose]
        loose += reads[int(rng.integers(1, 4)) :]
        reads = reads[: len(reads) - len(set(reads) & set(loose))]
        if not reads or rng.random() < 0.15:
            inputs.append(tensor(f"in{e}", int(rng.integers(1, most_words + 1))))
            reads.append(inputs[-1])
        made = [
            tensor(f"t{e}_{q}", int(rng.integers(1, most_words + 1)))
            for q in range(int(rng.integers(1, 4)))
        ]
        least = max(tensors[t].channels for t in (*reads, *made))
        issues = least + int(rng.integers(0, 2) * rng.integers(0, most_words))
        plan = Schedule(
            reads=tuple(mask(issues, tensors[t].channels) for t in reads),
            writes=tuple(mask(issues, tensors[t].channels) for t in made),
            latency_cycles=int(rng.integers(2, 9)),
            interval_cycles=int(rng.choice([1, 1, 1, 2, 5])),
        )
        nodes.append(Node(f"e{e}", "", Scheduled(plan), tuple(reads), tuple(made), ONLY))
        loose += made
    graph = Graph("random", tuple(nodes), tensors, tuple(inputs), tuple(loose))
    graph.validate()
    return graph
