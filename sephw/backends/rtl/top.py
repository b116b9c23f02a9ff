"""The top module of a graph: one engine per node, one AXI-Stream per tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sephw.backends.layout import Layout, StreamInfo
from sephw.ir import Graph, Node, RtlInstance

# The macro under which the reset goes from engine to engine.
RESET_CHAIN = "SEPHW_RESET_CHAIN"
_SIDES = ("tdata", "tvalid", "tready")


def top_text(
    graph: Graph,
    layout: Layout,
    instances: Mapping[str, RtlInstance],
    files: Mapping[str, tuple[str, ...]],
) -> str:
    """SystemVerilog of the top module.

    ``instances`` and ``files`` (names of the memory files, as ``instance.memories``) by node name.
    """
    wires = {name: f"{stream.variable}_" for name, stream in layout.streams.items()}
    wires |= {name: f"s_axis_{i}_" for i, name in enumerate(layout.inputs)}
    wires |= {name: f"m_axis_{i}_" for i, name in enumerate(layout.outputs)}
    lines = [
        f"// {graph.name}: top module, generated from the hardware graph.",
        "//",
        "// Streams are AXI-Stream; a beat holds `lanes` channels, lane 0 in the low bits, in the",
        "// order row, column, channel. Frames follow each other without a gap. Reset: ap_rst_n,",
        f"// synchronous, low. With {RESET_CHAIN} it goes from engine to engine, a register each:",
        f"// then it must last {len(graph.nodes)} cycles, and as many more before the first beat.",
        "`default_nettype none",
        "",
        f"module {layout.project} (",
        "    input  wire ap_clk,",
        "    input  wire ap_rst_n,",
    ]
    ports: list[str] = []
    for names, prefix, data in (
        (layout.inputs, "s_axis", ("input ", "input ", "output")),
        (layout.outputs, "m_axis", ("output", "output", "input ")),
    ):
        for index, name in enumerate(names):
            ports.append(f"    // {_about(layout.streams[name])}")
            width = _range(layout.streams[name])
            ports += [
                f"    {direction} wire {width if side == 'tdata' else ''}{prefix}_{index}_{side},"
                for side, direction in zip(_SIDES, data, strict=True)
            ]
    ports[-1] = ports[-1].removesuffix(",")
    lines += [*ports, ");"]
    ends = {*layout.inputs, *layout.outputs}
    for name, stream in layout.streams.items():
        if name not in ends:
            lines += ["", f"  // {_about(stream)}", *_wire(stream)]
    lines += ["", *_resets(len(graph.nodes))]
    for place, node in enumerate(graph.nodes):
        instance = instances[node.name]
        lines += ["", *_engine(node, place, graph, layout, instance, files[node.name], wires)]
    return "\n".join([*lines, "endmodule", "", "`default_nettype wire", ""])


def _about(stream: StreamInfo) -> str:
    made = f" of '{stream.module}'" if stream.module else ""
    return (
        f"'{stream.tensor}'{made}: {stream.dtype}, {stream.height} x {stream.width} x "
        f"{stream.channels}, {stream.words} beats, {stream.bits} x {stream.lanes} bits each"
    )


def _range(stream: StreamInfo) -> str:
    return f"[{stream.bits * stream.lanes - 1}:0] "


def _wire(stream: StreamInfo) -> list[str]:
    # The testbench records streams inside; synthesis ignores the comment.
    public = "/* verilator public_flat_rd */"
    return [
        f"  wire {_range(stream) if side == 'tdata' else ''}{stream.variable}_{side} {public};"
        for side in _SIDES
    ]


def _resets(engines: int) -> list[str]:
    """The engines' resets: one net, or a chain whose nets are short on a large chip."""
    behind = f"{{resets[{engines - 2}:0], ap_rst_n}}" if engines > 1 else "ap_rst_n"
    return [
        f"  logic [{engines - 1}:0] resets;",
        f"`ifdef {RESET_CHAIN}",
        f"  always_ff @(posedge ap_clk) resets <= {behind};",
        "`else",
        f"  assign resets = {{{engines}{{ap_rst_n}}}};",
        "`endif",
    ]


def _engine(
    node: Node,
    place: int,
    graph: Graph,
    layout: Layout,
    instance: RtlInstance,
    files: Sequence[str],
    wires: Mapping[str, str],
) -> list[str]:
    parameters = [(name, str(value)) for name, value in instance.parameters]
    parameters += [
        (memory.parameter, f'"{file}"')
        for memory, file in zip(instance.memories, files, strict=True)
    ]
    parameters += [
        (f"FIFO_DEPTH_{i}", str(graph.tensors[name].fifo_depth))
        for i, name in enumerate(node.outputs)
    ]
    connections = {"ap_clk": "ap_clk", "ap_rst_n": f"resets[{place}]"}
    for prefix, tensors in (("s_axis", node.inputs), ("m_axis", node.outputs)):
        for i, name in enumerate(tensors):
            connections |= {f"{prefix}_{i}_{side}": f"{wires[name]}{side}" for side in _SIDES}
    return [
        f"  // {node.where}, {node.folding}",
        f"  {instance.module} #(",
        *_listing(parameters),
        f"  ) {layout.engines[node.name]} (",
        *_listing(list(connections.items())),
        "  );",
    ]


def _listing(pairs: Sequence[tuple[str, str]]) -> list[str]:
    lines = [f"      .{name}({value})," for name, value in pairs]
    lines[-1] = lines[-1].removesuffix(",")
    return lines
