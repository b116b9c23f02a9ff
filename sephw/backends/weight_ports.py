"""Refusal of streamed weights by tools that have no port for them, in one line."""

from __future__ import annotations

from sephw.errors import SephwError
from sephw.ir import Graph
from sephw.passes import weight_readers


def weight_stream_refusal(graph: Graph, what: str) -> SephwError | None:
    """The error that ``what`` cannot serve ``graph``, naming the layers that stream weights; or
    None.
    """
    layers = list(weight_readers(graph).values())
    if not layers:
        return None
    others = f" and {len(layers) - 1} more" if len(layers) > 1 else ""
    return SephwError(
        f"{layers[0].where}{others}: weights come through a stream, and {what} has no external "
        "memory port for them yet; connect s_axis_1 and following of rtl/ or hls/ yourself, or "
        "give weights=chip in the folding"
    )


def check_weight_ports(graph: Graph, what: str) -> None:
    """Raise SephwError where ``graph`` has streamed weights; ``what`` has no port for them."""
    refused = weight_stream_refusal(graph, what)
    if refused is not None:
        raise refused
