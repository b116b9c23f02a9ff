"""The published page of a run."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.random_networks.check import Status, cause
from benchmarks.random_networks.draw import draw
from benchmarks.random_networks.features import features
from benchmarks.random_networks.results import Result

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "published"
NAME = "random_networks"


def publish(results: Sequence[Result], seed: int, count: int) -> str:
    """Write random_networks.md and .json; returns the page."""
    text = page(results, seed, count)
    (PUBLISHED / f"{NAME}.md").write_text(text, "utf-8")
    counts = Counter(result.outcome.status.value for result in results)
    rows = [
        {"index": r.index, "status": r.outcome.status.value, "reason": r.outcome.reason}
        for r in results
        if r.outcome.status is not Status.EXACT
    ]
    content = {
        "seed": seed,
        "count": count,
        "checked": len(results),
        **counts,
        "integers": sum(r.outcome.elements for r in results),
        "beats": sum(r.outcome.beats for r in results),
        "not_exact": rows,
    }
    (PUBLISHED / f"{NAME}.json").write_text(
        json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8"
    )
    return text


def page(results: Sequence[Result], seed: int, count: int) -> str:
    """Markdown."""
    exact = [r.outcome for r in results if r.outcome.status is Status.EXACT]
    number = {s: sum(r.outcome.status is s for r in results) for s in Status}
    seconds = sum(r.outcome.seconds for r in results) / max(1, len(results))
    lines = [
        "# Random networks through every representation",
        "",
        f"Made by `python -m benchmarks.random_networks --count {count} --seed {seed} "
        "--results FILE --publish`. Each network is drawn from layers of `sephw.nn` with random "
        "sizes, weights and batch norms, frozen, written as QONNX, read, folded at random, and "
        "run on two noise images as torch, qonnx' executor, the integer reference, the HLS "
        "C-simulation, the RTL in Verilator and the cycle simulator, with random pauses of source "
        "and sink. Integers of every layer and stream and the cycle of every beat are compared "
        "with `==`. Weights are random: nothing is said of accuracy.",
        "",
        *_unfinished(len(results), count),
        "| networks | exact | mismatch | refused | ended in an exception (status 3) "
        "| integers compared | beats' cycles compared |",
        "|---|---|---|---|---|---|---|",
        f"| {len(results):,} | {number[Status.EXACT]:,} | {number[Status.MISMATCH]} "
        f"| {number[Status.REFUSED]} | {number[Status.DEFECT]} "
        f"| {sum(o.elements for o in exact):,} | {sum(o.beats for o in exact):,} |",
        "",
        f"{seconds:.1f} processor-seconds a network; those checked have "
        f"{min((o.engines for o in exact), default=0)} to "
        f"{max((o.engines for o in exact), default=0)} engines, "
        f"{sum(o.engines for o in exact):,} together. The QONNX files of "
        f"{sum(o.exported for o in exact)} went through `export_model` as well, reports included.",
        "",
        *_failures(results),
        *_refusals(results),
        *_contents(results),
        "## Estimated and synthesized",
        "",
        "Some of the small ones are synthesized, beside the resource model's estimates: "
        "[held-out networks](held_out_networks.md).",
        "",
    ]
    return "\n".join(lines)


def _unfinished(checked: int, count: int) -> list[str]:
    if checked >= count:
        return []
    return [f"Checked so far: {checked:,} of {count:,}; the same command goes on from there.", ""]


def _failures(results: Sequence[Result]) -> list[str]:
    bad = [r for r in results if r.outcome.bad]
    if not bad:
        return []
    lines = ["## Not equal, or status 3", "", "| network | where | first |", "|---|---|---|"]
    lines += [f"| {r.seed}:{r.index} | {r.outcome.step} | {_cell(r.outcome.reason)} |" for r in bad]
    return [*lines, ""]


def _refusals(results: Sequence[Result]) -> list[str]:
    causes: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for result in results:
        outcome = result.outcome
        refused = [outcome.reason] if outcome.status is Status.REFUSED else []
        refused += [outcome.refused] if outcome.refused else []
        for text in refused:
            causes[cause(text)] += 1
            examples.setdefault(cause(text), text)
    lines = [
        "## Refused",
        "",
        "Every refusal is one line. FIFO depths that would deadlock are refused, then the network "
        "is checked at the depths that were found.",
        "",
        "| times | for example |",
        "|---|---|",
    ]
    lines += [f"| {times} | {_cell(examples[text])} |" for text, times in causes.most_common()]
    return [*lines, ""] if causes else ["## Refused", "", "None.", ""]


def _contents(results: Sequence[Result]) -> list[str]:
    held: Counter[str] = Counter()
    foldings: Counter[str] = Counter()
    for result in results:
        if result.outcome.status is Status.EXACT:
            held.update(features(draw(result.seed, result.index)))
            foldings.update(result.outcome.families)
    return [
        "## What the exact ones have",
        "",
        "Behind each word, how many networks have it.",
        "",
        *_table(("part", "networks with"), held),
        *_table(("engine", "networks with it at the folding"), foldings),
    ]


def _table(head: tuple[str, str], counts: Counter[str]) -> list[str]:
    """Words that begin alike in one row."""
    rows: dict[str, list[str]] = {}
    for name, times in sorted(counts.items()):
        first, rest = re.match(r"(\S+?)[:,]?(?: (.*))?$", name).groups()  # type: ignore[union-attr]
        rows.setdefault(first, []).append(f"{rest}: {times}" if rest else str(times))
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return [*lines, *(f"| {first} | {' · '.join(row)} |" for first, row in rows.items()), ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
