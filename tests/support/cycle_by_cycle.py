"""A plain cycle-by-cycle simulation of engines, FIFOs and credits, to hold the fast model against.

Everything is decided from the registers as they are at the start of a cycle, as in hardware.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sephw.ir import Graph

UNBOUNDED = 1 << 60


class DeadlockError(Exception):
    """No engine can move any more although frames are missing."""

    def __init__(self, last_cycle: int) -> None:
        super().__init__(f"no beat moves after cycle {last_cycle}")
        self.last_cycle = last_cycle


@dataclass
class Played:
    """Cycles, by stream or node; all frames end to end."""

    pops: dict[str, list[int]] = field(default_factory=dict)
    visible: dict[str, list[int]] = field(default_factory=dict)
    issues: dict[str, list[int]] = field(default_factory=dict)


def play(
    graph: Graph,
    frames: int,
    *,
    depths: Mapping[str, int] | None = None,
    source: Mapping[str, Sequence[bool]] | None = None,
    sink: Mapping[str, Sequence[bool]] | None = None,
    arrivals: Mapping[str, Sequence[int]] | None = None,
) -> Played:
    """Run ``frames`` frames.

    ``depths``: credits per stream, by default the tensors' ``fifo_depth``. ``source``, ``sink``:
    cyclic patterns of cycles in which a beat may be offered first, or taken. ``arrivals``: cycles
    from which beats of graph inputs are offered.
    """
    if depths is None:
        depths = {name: tensor.fifo_depth for name, tensor in graph.tensors.items()}
    made = [t for node in graph.nodes for t in node.outputs]
    words = {t: graph.stream(t).words * frames for t in (*graph.inputs, *made)}
    result = Played(
        {t: [] for t in words}, {t: [] for t in words}, {n.name: [] for n in graph.nodes}
    )
    plans = {n.name: n.operator.schedule(n.folding) for n in graph.nodes}
    credit = {t: depths[t] for t in made}
    offered = dict.fromkeys(graph.inputs, False)
    idle_limit = 20 + sum(p.latency_cycles + p.interval_cycles for p in plans.values())
    idle_limit += sum(len(p) for patterns in (source, sink) for p in (patterns or {}).values())
    cycle, idle, last_cycle = 0, 0, 0
    while any(len(result.pops[t]) < n for t, n in words.items()):
        for t in graph.inputs:
            number = len(result.pops[t])
            if not offered[t] and number < words[t]:
                pattern = (source or {}).get(t, (True,))
                due = arrivals is None or t not in arrivals or arrivals[t][number] <= cycle
                offered[t] = due and bool(pattern[cycle % len(pattern)])
                if offered[t]:
                    result.visible[t].append(cycle)
                    last_cycle = cycle
        valid = dict(offered)
        for t in made:
            number = len(result.pops[t])
            valid[t] = number < len(result.visible[t]) and result.visible[t][number] <= cycle
        popped, issued = [], []
        for node in graph.nodes:
            plan, before = plans[node.name], result.issues[node.name]
            if len(before) == plan.issues * frames:
                continue
            if before and cycle < before[-1] + plan.interval_cycles:
                continue
            i = len(before) % plan.issues
            reads = [t for t, r in zip(node.inputs, plan.reads, strict=True) if r[i]]
            writes = [t for t, w in zip(node.outputs, plan.writes, strict=True) if w[i]]
            if all(valid[t] for t in reads) and all(credit[t] > 0 for t in writes):
                issued.append((node.name, writes, plan.latency_cycles))
                popped += reads
        for t in graph.outputs:
            pattern = (sink or {}).get(t, (True,))
            if valid[t] and pattern[cycle % len(pattern)]:
                popped.append(t)
        for name, writes, latency in issued:
            result.issues[name].append(cycle)
            for t in writes:
                credit[t] -= 1
                result.visible[t].append(cycle + latency)
        for t in popped:
            result.pops[t].append(cycle)
            if t in offered:
                offered[t] = False
            else:
                credit[t] += 1
        if popped or any(writes for _, writes, _ in issued):
            last_cycle = cycle
        later = max((a[-1] for a in (arrivals or {}).values()), default=0)
        idle = 0 if issued or popped or cycle < later else idle + 1
        if idle > idle_limit:
            raise DeadlockError(last_cycle)
        cycle += 1
    return result
