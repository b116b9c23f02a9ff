"""What has no port for streamed weights yet says so, in one line."""

from __future__ import annotations

from sephw.errors import SephwError
from sephw.ir import Graph
from sephw.passes import weight_readers


def weight_stream_refusal(graph: Graph, what: str) -> SephwError | None:
    """Why ``what`` cannot serve ``graph``: the layers that stream their weights; None: it can."""
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
