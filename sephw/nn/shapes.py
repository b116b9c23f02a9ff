"""Shape propagation through a traced network, with an error that names the module."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn

from sephw.errors import SephwError

SHAPE = "shape"
"""Key of a node's shape, a tuple, in its metadata."""


def propagate_shapes(root: nn.Module, graph: fx.Graph, input_shape: tuple[int, int, int]) -> None:
    """Run ``graph`` on zeros of (1, *``input_shape``) and write shapes into its nodes' metadata.

    SephwError naming the module that cannot take its input.
    """
    runner = _Runner(fx.GraphModule(root, graph))
    device = next((tensor.device for tensor in root.parameters()), torch.device("cpu"))
    modes = {module: module.training for module in root.modules()}
    try:
        root.eval()  # batch norms must not learn from it
        with torch.no_grad():
            runner.run(torch.zeros(1, *input_shape, device=device))
    except Exception as error:
        shown = " × ".join(map(str, input_shape))
        reason = str(error).strip().splitlines()[0].split("  ")[0].rstrip(".")
        raise SephwError(
            f"{type(root).__name__}: '{runner.at}' cannot take its input where images are "
            f"{shown} (channels × height × width): {reason}; give the images' own size"
        ) from error
    finally:
        for module, training in modes.items():
            module.training = training


def shape_of(node: Any) -> tuple[int, ...]:
    """The shape that `propagate_shapes` wrote."""
    return tuple(node.meta[SHAPE])


class _Runner(fx.Interpreter):
    """An interpreter that records the node it runs."""

    at: str = ""

    def run_node(self, n: fx.Node) -> Any:
        """Run one node; its shape becomes metadata."""
        self.at = str(n.target) if n.op == "call_module" else n.name
        result = super().run_node(n)
        if isinstance(result, torch.Tensor):
            n.meta[SHAPE] = tuple(result.shape)
        return result
