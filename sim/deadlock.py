"""Diagnosis of a deadlock: the FIFO that is full, and the least depths that avoid it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sephw.sim.execute import Execution, execute
from sephw.sim.kernel import MAX_PORTS


@dataclass(frozen=True)
class Wait:
    """A blocked engine: it waits for a beat of ``stream`` or, ``for_room``, for a credit of it."""

    engine: int
    stream: str
    for_room: bool


def explain(execution: Execution) -> str:
    """Describe the deadlock in one line: where it stands still, and the least depths that avoid it.

    Whether engines deadlock depends on depths only, never on times; so the depths found hold for
    every pattern of sources and sinks.
    """
    waits = circular_wait(execution)
    full = next(w for w in waits if w.for_room)
    starved = next((w for w in waits if not w.for_room), full)
    engines = execution.network.engines
    needed = ", ".join(f"'{name}' {depth}" for name, depth in depths_needed(execution).items())
    return (
        f"graph: deadlock after cycle {execution.last_cycle}: the FIFO of '{full.stream}' is full "
        f"with {execution.network.depths[full.stream]} beats, so '{engines[full.engine].name}' "
        f"cannot issue, and '{engines[starved.engine].name}' waits for '{starved.stream}'; "
        f'needed depths at least: {needed}; give these in "fifos" of the folding file, or leave '
        "them out"
    )


def circular_wait(execution: Execution) -> list[Wait]:
    """The blocked engines that wait for each other in a cycle."""
    network = execution.network
    producer = {t: e for e, engine in enumerate(network.engines) for t in engine.outputs}
    consumer = {t: e for e, engine in enumerate(network.engines) for t in engine.inputs}
    wait = next(
        _wait(execution, e)
        for e, engine in enumerate(network.engines)
        if execution.done[e] < len(engine.events) * execution.frames
    )
    path: list[Wait] = []
    while wait.engine not in [w.engine for w in path]:
        path.append(wait)
        other = consumer[wait.stream] if wait.for_room else producer[wait.stream]
        wait = _wait(execution, other)
    return path[[w.engine for w in path].index(wait.engine) :]


def _wait(execution: Execution, number: int) -> Wait:
    """The stream that the next event of a blocked engine waits for."""
    engine = execution.network.engines[number]
    mask = int(engine.masks[execution.done[number] % len(engine.events)])
    for p, stream in enumerate(engine.inputs):
        if mask >> p & 1 and execution.pushed[stream] == execution.popped[stream]:
            return Wait(number, stream, for_room=False)
    for q, stream in enumerate(engine.outputs):
        held = execution.pushed[stream] - execution.popped[stream]
        if mask >> (MAX_PORTS + q) & 1 and held == execution.network.depths[stream]:
            return Wait(number, stream, for_room=True)
    raise AssertionError(f"engine '{engine.name}' waits for nothing")


def depths_needed(execution: Execution) -> dict[str, int]:
    """The smallest depths, in beats by tensor, with which this run would not deadlock.

    FIFOs are minimized one after the other.
    """
    network, frames = execution.network, execution.frames
    depths = dict(network.depths)
    widened: list[str] = []

    def run(other: dict[str, int]) -> Execution:
        return execute(replace(network, depths={**depths, **other}), frames, {}, {})

    current = execution
    while not current.complete:
        name = next(w.stream for w in circular_wait(current) if w.for_room)
        depths[name] = network.words[name] * frames
        widened.append(name)
        current = run({})
    for name in widened:
        low, high = network.depths[name], depths[name]
        while high - low > 1:
            middle = (low + high) // 2
            runs = run({name: middle}).complete
            low, high = (low, middle) if runs else (middle, high)
        depths[name] = high
    return {name: depths[name] for name in widened}
