"""Max with a constant of zeros, which some exporters write for ReLU."""

from __future__ import annotations

from sephw.errors import SephwError
from sephw.frontend.call import NodeCall
from sephw.frontend.handler import NoAttributes
from sephw.frontend.handlers.elementwise import relu
from sephw.frontend.values import Value


def maximum(call: NodeCall, given: NoAttributes) -> Value:
    """ReLU, where the second input is all zeros."""
    if call.constant(1).any():
        raise SephwError(f"{call.where}: its constant is not 0; use Relu and a bias before it")
    return relu(call, given)
