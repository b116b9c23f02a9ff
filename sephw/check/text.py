"""A checked model as a table for a person."""

from __future__ import annotations

from collections.abc import Iterator

from sephw.check.model import ModelCheck
from sephw.frontend import NodeState, NodeVerdict, Refusal

_INDENT = "    "


def text(check: ModelCheck) -> str:
    """Every node on a line, with why and what to change below those that are not taken.

    First the counts and what is refused of the file as a whole.
    """
    counts = [f"{count} {state}" for state, count in check.counts.items() if count]
    nodes = f"{len(check.nodes)} nodes: {', '.join(counts)}" if check.nodes else "no nodes"
    lines = [f"{check.model}: {'taken' if check.taken else 'refused'}; {nodes}"]
    for refusal in check.refusals:
        lines += _refusal(refusal)
    states = max((len(node.state) for node in check.nodes), default=0)
    operators = max((len(node.operator) for node in check.nodes), default=0)
    for node in check.nodes:
        lines.append(f"{node.state:{states}}  {node.operator:{operators}}  {node.label}")
        lines += _below(node)
    return "\n".join(lines)


def _below(node: NodeVerdict) -> Iterator[str]:
    for refusal in node.refusals:
        yield from _refusal(refusal)
    if node.state is NodeState.NOT_REACHED:
        yield f"{_INDENT}why     depends on {_listed(node.waits_for)}"
    if node.assumes:
        yield f"{_INDENT}if      {_listed(node.assumes)} is changed so"


def _refusal(refusal: Refusal) -> Iterator[str]:
    yield f"{_INDENT}why     {refusal.reason}"
    if refusal.fix:
        yield f"{_INDENT}change  {refusal.fix}"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(names)
