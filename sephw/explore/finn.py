"""FINN's folding configuration: what FINN has a notion of, in its words.

FINN numbers nodes of a type in the order of the graph; so does this, for a graph with one node per
convolution, window, pool and fork. Left out are convolutions in groups (FINN has none between 1
and all channels), the adder families, and everything that FINN folds by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sephw.explore.found import Found
from sephw.ir import Node
from sephw.ops import Select

_RAM_STYLE = "auto"


def finn_config(found: Found) -> dict[str, dict[str, Any]]:
    """FINN node name → attributes, after a "Defaults" entry."""
    counts: dict[str, int] = {}
    result: dict[str, dict[str, Any]] = {"Defaults": {}}
    for node in found.graph.nodes:
        for kind, attributes in _entries(node):
            number = counts.get(kind, 0)
            counts[kind] = number + 1
            if attributes:
                result[f"{kind}_{number}"] = attributes
    return result


def _entries(node: Node) -> Iterator[tuple[str, dict[str, Any]]]:
    """(FINN's type, attributes; none where only the number is taken)."""
    operator, folding = node.operator, node.folding
    groups = getattr(operator, "groups", 1)
    if operator.kind in ("conv8", "pattern_conv"):
        engine = operator.variant(folding)
        if groups != 1 or not isinstance(engine, Select):
            yield "MVAU_hls", {}
            return
        multiplies = "lut" if engine.multiplies_in_logic else "dsp"
        yield (
            "MVAU_hls",
            {
                "PE": folding.pe,
                "SIMD": folding.simd,
                "ram_style": _RAM_STYLE,
                "resType": multiplies if operator.kind == "conv8" else "lut",
            },
        )
    elif operator.kind == "sliding_window":
        whole = folding.pe != folding.simd
        yield (
            "ConvolutionInputGenerator_rtl",
            {
                "SIMD": folding.simd,
                "parallel_window": int(whole),
                "ram_style": _RAM_STYLE,
            },
        )
    elif operator.kind == "global_pool":
        yield "GlobalAccPool_hls", {"PE": folding.pe}
    elif operator.kind == "fork":
        yield "DuplicateStreams_hls", {"PE": folding.pe}
