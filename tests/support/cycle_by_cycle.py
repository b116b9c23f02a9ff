"""A plain cycle-by-cycle simulation of engines and FIFOs, to hold the fast model against."""

from __future__ import annotations

from collections.abc import Sequence

from sephw.ir import Graph


class DeadlockError(Exception):
    """No engine can move any more although frames are missing."""


def play(
    graph: Graph,
    arrivals: Sequence[int],
    frames: int,
    depths: dict[str, int] | None = None,
    output_every: int = 1,
) -> dict[str, list[int]]:
    """Cycle at which each beat of each tensor is in its FIFO, over ``frames`` frames.

    ``arrivals``: cycle at which each input beat is offered; it enters when there is room.
    ``depths``: beats per FIFO, counted from the issue that makes a beat until its pop; None for
    unbounded. A graph output gives one beat at most every ``output_every`` cycles.
    """
    limit = depths or {}
    pushes: dict[str, list[int]] = {t: [] for t in graph.tensors}
    popped = dict.fromkeys(graph.tensors, 0)
    plans = [n.operator.schedule(n.folding) for n in graph.nodes]
    position = [0] * len(plans)
    next_issue = [0] * len(plans)
    source = graph.inputs[0]
    wanted = {t: graph.stream(t).words * frames for t in graph.outputs}
    cycle, idle = 0, 0
    while any(popped[t] < n for t, n in wanted.items()):
        room = {t: limit.get(t, 1 << 60) - len(pushes[t]) + popped[t] for t in graph.tensors}
        ready = {t: sum(p <= cycle for p in pushes[t][popped[t] :]) for t in graph.tensors}
        moved = False
        fed = len(pushes[source])
        if fed < len(arrivals) and arrivals[fed] <= cycle and room[source] > 0:
            pushes[source].append(cycle)
            ready[source] += 1
            moved = True
        for e, (node, plan) in enumerate(zip(graph.nodes, plans, strict=True)):
            i = position[e] % plan.issues
            if cycle < next_issue[e] or position[e] >= plan.issues * frames:
                continue
            reads = [t for t, r in zip(node.inputs, plan.reads, strict=True) if r[i]]
            writes = [t for t, w in zip(node.outputs, plan.writes, strict=True) if w[i]]
            if all(ready[t] > 0 for t in reads) and all(room[t] > 0 for t in writes):
                for t in reads:
                    popped[t] += 1
                for t in writes:
                    pushes[t].append(cycle + plan.latency_cycles)
                position[e] += 1
                next_issue[e] = cycle + plan.interval_cycles
                moved = True
        if cycle % output_every == 0:
            for t in graph.outputs:
                if popped[t] < len(pushes[t]) and pushes[t][popped[t]] <= cycle:
                    popped[t] += 1
                    moved = True
        waiting = any(p > cycle for t in pushes for p in pushes[t][popped[t] :])
        waiting = waiting or (fed < len(arrivals) and arrivals[fed] > cycle)
        idle = 0 if moved or waiting else idle + 1
        if idle > output_every + 2:
            raise DeadlockError(f"cycle {cycle}")
        cycle += 1
    return pushes
