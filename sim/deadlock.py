"""Why a simulation stopped: the FIFO that is full, and the depths that would have been enough."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sephw.sim.execute import Execution, execute
from sephw.sim.kernel import MAX_PORTS


@dataclass(frozen=True)
class Wait:
    """An engine that cannot go on: it waits for a beat of ``stream``, or for room in it."""

    engine: int
    stream: str
    for_room: bool


def explain(outcome: Execution) -> str:
    """One line for the user: where it stands still, and the depths needed at least.

    Whether engines deadlock depends on depths only, never on times; so the depths found hold for
    every pattern of sources and sinks.
    """
    waits = circle(outcome)
    full = next(w for w in waits if w.for_room)
    starved = next((w for w in waits if not w.for_room), full)
    engines = outcome.network.engines
    needed = ", ".join(f"'{name}' {depth}" for name, depth in depths_needed(outcome).items())
    return (
        f"graph: deadlock after cycle {outcome.last_cycle}: the FIFO of '{full.stream}' is full "
        f"with {outcome.network.depths[full.stream]} beats, so '{engines[full.engine].name}' "
        f"cannot issue, and '{engines[starved.engine].name}' waits for '{starved.stream}'; "
        f'needed depths at least: {needed}; give these in "fifos" of the folding file, or leave '
        "them out"
    )


def circle(outcome: Execution) -> list[Wait]:
    """Engines of a deadlock that wait for each other in a ring."""
    network = outcome.network
    producer = {t: e for e, engine in enumerate(network.engines) for t in engine.outputs}
    consumer = {t: e for e, engine in enumerate(network.engines) for t in engine.inputs}
    wait = next(
        _wait(outcome, e)
        for e, engine in enumerate(network.engines)
        if outcome.done[e] < len(engine.events) * outcome.frames
    )
    path: list[Wait] = []
    while wait.engine not in [w.engine for w in path]:
        path.append(wait)
        other = consumer[wait.stream] if wait.for_room else producer[wait.stream]
        wait = _wait(outcome, other)
    return path[[w.engine for w in path].index(wait.engine) :]


def _wait(outcome: Execution, number: int) -> Wait:
    """What the next event of an engine that stands still waits for."""
    engine = outcome.network.engines[number]
    mask = int(engine.masks[outcome.done[number] % len(engine.events)])
    for p, stream in enumerate(engine.inputs):
        if mask >> p & 1 and outcome.pushed[stream] == outcome.popped[stream]:
            return Wait(number, stream, for_room=False)
    for q, stream in enumerate(engine.outputs):
        held = outcome.pushed[stream] - outcome.popped[stream]
        if mask >> (MAX_PORTS + q) & 1 and held == outcome.network.depths[stream]:
            return Wait(number, stream, for_room=True)
    raise AssertionError(f"engine '{engine.name}' waits for nothing")


def depths_needed(outcome: Execution) -> dict[str, int]:
    """The smallest depths, one FIFO after the other, with which this run would not deadlock."""
    network, frames = outcome.network, outcome.frames
    depths = dict(network.depths)
    widened: list[str] = []

    def run(other: dict[str, int]) -> Execution:
        return execute(replace(network, depths={**depths, **other}), frames, {}, {})

    current = outcome
    while not current.complete:
        name = next(w.stream for w in circle(current) if w.for_room)
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
