"""The PyTorch module behind an ONNX node, from what either torch exporter leaves in the file."""

from __future__ import annotations

import ast
from typing import Any

SCOPES = "pkg.torch.onnx.name_scopes"
# Sub-modules of Brevitas layers and of the deploy network: not modules the user wrote.
_INTERNAL = ("act_quant", "weight_quant", "bias_quant", "input_quant", "output_quant",
             "accumulator")  # fmt: skip


def module_of(node: Any) -> str:
    """Dotted module path of an ONNX node; the node's own name where the file has no scopes."""
    for prop in node.metadata_props:
        if prop.key == SCOPES:
            scopes = [s for s in ast.literal_eval(prop.value)[:-1] if s]
            path = scopes[-1] if scopes else ""
            return _user_part(path.split("."))
    return _user_part(_legacy_parts(str(node.name)))


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
    return ".".join(kept)
