"""The reader's verdict on every node of a file, all refusals at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sephw.errors import SephwError
from sephw.files import reading
from sephw.frontend.builder import GraphBuilder
from sephw.frontend.onnx_file import ImageInput, image_input, likely_image
from sephw.frontend.read_qonnx import ReadResult, read_result
from sephw.frontend.scope import printable
from sephw.frontend.walk import JudgedNode, OnnxWalk


class NodeState(StrEnum):
    """The state of a node in an export."""

    EXACT = "exact"
    THRESHOLDS = "thresholds"
    """As exact: a step that float32 rounds, or the quantizer that makes thresholds of them."""
    REFUSED = "refused"
    NOT_REACHED = "not reached"

    @property
    def is_taken(self) -> bool:
        """Whether an export takes such a node."""
        return self in (NodeState.EXACT, NodeState.THRESHOLDS)


@dataclass(frozen=True)
class Refusal:
    """A reason, and what to change; ``fix`` is "" where the reason says it."""

    reason: str
    fix: str

    @classmethod
    def of(cls, error: SephwError, where: str) -> Refusal:
        """The refusal of what ``error`` calls ``where``."""
        reason, _, fix = str(error).removeprefix(f"{where}: ").partition("; ")
        return cls(reason, fix)


@dataclass(frozen=True)
class NodeVerdict:
    """The verdict on a node.

    ``label`` is what errors call it, its PyTorch module where known; ``onnx_name`` its own name in
    the file. ``waits_for``: refused nodes without which it cannot be judged whole. ``assumes``:
    the nearest refused nodes before it, taken as mended. Both are ``operator 'label'``.
    """

    label: str
    onnx_name: str
    operator: str
    state: NodeState
    refusals: tuple[Refusal, ...]
    waits_for: tuple[str, ...]
    assumes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ModelVerdict:
    """The verdicts on a whole file.

    ``refusals``: of the file itself; ``read``: None where any is refused.
    """

    refusals: tuple[Refusal, ...]
    nodes: tuple[NodeVerdict, ...]
    read: ReadResult | None


def judge_model(path: Path, model: Any) -> ModelVerdict:
    """Judge every node that the output needs, of a checked model; ``path`` is for errors.

    It is the reader's own walk that goes on behind a refusal: as if the node were mended where its
    meaning is clear, with outputs that are unknown elsewhere.
    """
    with reading(str(path), "report the file as a defect of sephw"):
        walk = OnnxWalk(path, model, collects=True, builder=GraphBuilder())
        image: ImageInput | None
        try:
            image = image_input(path, model)
        except SephwError as error:
            walk.refuse(error)
            image = likely_image(model)
        walk.builder.batch = 1 if image is None else image.batch
        output = walk.run(image)
        nodes = tuple(_verdict(node) for node in walk.nodes)
        refused = walk.whole or not all(node.state.is_taken for node in nodes)
        read = None if refused else read_result(walk, output)
        return ModelVerdict(tuple(Refusal.of(e, str(path)) for e in walk.whole), nodes, read)


def _verdict(judged: JudgedNode) -> NodeVerdict:
    call = judged.call
    state = NodeState.THRESHOLDS if judged.is_thresholds else NodeState.EXACT
    if judged.refusals:
        state = NodeState.REFUSED
    elif judged.waits_for:
        state = NodeState.NOT_REACHED
    return NodeVerdict(
        call.label,
        printable(call.node.name),
        printable(call.node.op_type),
        state,
        tuple(Refusal.of(error, call.where) for error in judged.refusals),
        judged.waits_for,
        judged.behind,
    )
