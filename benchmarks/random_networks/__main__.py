"""Random networks through every representation, and how exact they are.

    python -m benchmarks.random_networks --count N --seed S --results FILE
    python -m benchmarks.random_networks --case CASE.json

Network i of seed S is the same for every N. Each goes from its torch modules through freeze,
QONNX and the hardware graph at a random folding to torch, qonnx, the integer reference, the
C-simulation, the RTL simulation and the cycle simulation; every integer and the cycle of every
beat are compared. Results go to FILE, a JSON line each; a run that was interrupted goes on where
it was. Networks that differ or end in an exception are shrunk, and the smallest case that fails in
the same way is printed as JSON, for --case. Ends with status 1 where there is such a network.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from benchmarks.random_networks import results
from benchmarks.random_networks.check import Outcome, Status, check, check_all
from benchmarks.random_networks.describe import Case, from_json, to_json
from benchmarks.random_networks.draw import draw
from benchmarks.random_networks.page import publish
from benchmarks.random_networks.results import Result
from benchmarks.random_networks.shrink import shrink
from benchmarks.random_networks.simulate import Simulator
from sephw.lifetime.ending import end_on_signals

_BATCH = 8


@click.command(help=__doc__)
@click.option("--count", default=100, show_default=True, type=click.IntRange(1), help="Networks.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Their seed.")
@click.option("--first", default=0, show_default=True, help="Index of the first one.")
@click.option(
    "--results", "path", type=click.Path(path_type=Path, dir_okay=False), help="Keep results here."
)
@click.option("--minutes", type=float, help="Stop after so long; the next run goes on.")
@click.option(
    "--again",
    type=click.Choice([s.value for s in Status]),
    multiple=True,
    help="Check those anew that ended so.",
)
@click.option(
    "--simulator",
    type=click.Choice([s.value for s in Simulator]),
    default="verilator",
    show_default=True,
    help="What runs the RTL.",
)
@click.option("--shrink/--no-shrink", "shrinks", default=True, help="Make what fails smaller.")
@click.option("--publish", "publishes", is_flag=True, help="Write reports/published.")
@click.option("--case", type=click.Path(path_type=Path, exists=True), help="Check this JSON only.")
def main(
    count: int,
    seed: int,
    first: int,
    path: Path | None,
    minutes: float | None,
    again: tuple[str, ...],
    simulator: str,
    shrinks: bool,
    publishes: bool,
    case: Path | None,
) -> None:
    """Check what is not known yet, print what fails, publish."""
    end_on_signals()
    if case is not None:
        sys.exit(_one(_read_case(case), Simulator(simulator), shrinks))
    known = results.read(path, seed) if path is not None else {}
    wanted = range(first, first + count)
    todo = [i for i in wanted if i not in known or known[i].outcome.status in again]
    until = None if minutes is None else time.monotonic() + 60 * minutes
    for start in range(0, len(todo), _BATCH):
        if until is not None and time.monotonic() >= until:
            break
        part = todo[start : start + _BATCH]
        outcomes = check_all([draw(seed, i) for i in part], Simulator(simulator))
        found = [Result(seed, i, outcome) for i, outcome in zip(part, outcomes, strict=True)]
        if path is not None:
            results.append(path, found)
        known.update((result.index, result) for result in found)
        for result in found:
            if result.outcome.bad:
                _tell(f"{seed}:{result.index}", result.outcome)
                if shrinks:
                    _tell_smallest(draw(seed, result.index), result.outcome, Simulator(simulator))
        click.echo(_progress([known[i] for i in wanted if i in known], count), err=True)
    chosen = [known[i] for i in wanted if i in known]
    if publishes:
        click.echo(publish(chosen, seed, count))
    if any(result.outcome.bad for result in chosen):
        sys.exit(1)


def _read_case(path: Path) -> Case:
    try:
        return from_json(path.read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(
            f"'{path}' is no case ({error}); give what was printed"
        ) from None


def _one(case: Case, simulator: Simulator, shrinks: bool) -> int:
    outcome = check(case, simulator)
    _tell("case", outcome)
    if outcome.bad and shrinks:
        _tell_smallest(case, outcome, simulator)
    return 1 if outcome.bad else 0


def _tell(name: str, outcome: Outcome) -> None:
    where = f" in {outcome.step}" if outcome.step else ""
    click.echo(f"{name}: {outcome.status}{where}: {outcome.reason or 'all equal'}")
    if outcome.trace:
        click.echo(outcome.trace)


def _tell_smallest(case: Case, outcome: Outcome, simulator: Simulator) -> None:
    smallest, found = shrink(case, outcome, lambda candidate: check(candidate, simulator))
    click.echo(f"smallest: {found.reason}\n{to_json(smallest)}")


def _progress(found: list[Result], count: int) -> str:
    counts = dict.fromkeys(Status, 0)
    for result in found:
        counts[result.outcome.status] += 1
    listed = ", ".join(f"{number} {status}" for status, number in counts.items())
    seconds = sum(result.outcome.seconds for result in found) / max(1, len(found))
    return f"{len(found)} of {count}: {listed}; {seconds:.1f} processor-seconds each"


if __name__ == "__main__":
    main()
