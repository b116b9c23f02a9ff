"""Names of ONNX nodes: the PyTorch module behind each, or its own name."""

from __future__ import annotations

import ast
import re
from typing import Any

SCOPES = "pkg.torch.onnx.name_scopes"
# Sub-modules of Brevitas layers and of the deploy network: not modules the user wrote.
_INTERNAL = (
    "act_quant",
    "weight_quant",
    "bias_quant",
    "input_quant",
    "output_quant",
    "accumulator",
)
_LONGEST = 200


def module_of(node: Any) -> str:
    """Dotted module path of an ONNX node, from what either torch exporter leaves in the file.

    "" where the file says nothing of it.
    """
    for prop in node.metadata_props:
        if prop.key == SCOPES:
            path = _last_scope(prop.value)
            return _user_part(path.split("."))
    return _user_part(_legacy_parts(str(node.name)))


def label_of(node: Any) -> str:
    """The node's name for a person: its module, else its own name, else that of its output."""
    return module_of(node) or printable(str(node.name).strip("/")) or printable(node.output[0])


def printable(name: str) -> str:
    """``name`` on one line, without what would end a comment or a string in generated text."""
    return re.sub(r"[^\w.:/ \[\]()-]+|\*/", "_", name).strip()[:_LONGEST]


def _last_scope(text: str) -> str:
    """The last module of an exporter's list of scopes; "" where it is no such list."""
    try:
        scopes = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""
    if not isinstance(scopes, list):
        return ""
    named = [scope for scope in scopes[:-1] if isinstance(scope, str) and scope]
    return named[-1] if named else ""


def _legacy_parts(name: str) -> list[str]:
    # '/stages.0/stages.0.0/…' and '/stage/stage.0/pattern/Conv' both repeat the parent's path.
    parts: list[str] = []
    for piece in name.strip("/").split("/")[:-1]:
        pieces = piece.split(".")
        shared = next(
            (n for n in range(min(len(pieces), len(parts)), 0, -1) if parts[-n:] == pieces[:n]), 0
        )
        parts += pieces[shared:]
    return parts


def _user_part(parts: list[str]) -> str:
    kept: list[str] = []
    for part in parts:
        if part in _INTERNAL:
            break
        kept.append(part)
    return printable(".".join(kept))
