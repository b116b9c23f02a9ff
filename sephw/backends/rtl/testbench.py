"""The generated half of the testbench: the ports and streams of the top module."""

from __future__ import annotations

from sephw.backends.layout import Layout

HEADER = "sephw_streams.h"


def header_text(layout: Layout) -> str:
    """C++ that visits every port and every stream of the compiled top module."""
    streams = layout.streams
    ends = {name: f"m.s_axis_{i}_" for i, name in enumerate(layout.inputs)}
    ends |= {name: f"m.m_axis_{i}_" for i, name in enumerate(layout.outputs)}
    inside = f"m.rootp->{layout.project}__DOT__"

    def visits(names: tuple[str, ...]) -> list[str]:
        lines = []
        for index, name in enumerate(names):
            stem = ends.get(name, f"{inside}{streams[name].variable}_")
            bits = streams[name].bits * streams[name].lanes
            lines.append(f"    visit({index}, {stem}tvalid, {stem}tready, {stem}tdata, {bits});")
        return lines

    def function(name: str, tensors: tuple[str, ...]) -> list[str]:
        head = f"template <class V> inline void {name}(Model &m, V visit) {{"
        return [head, *visits(tensors), "}"]

    quoted = ", ".join(f'"{name}"' for name in streams)
    return "\n".join(
        [
            f"// Ports and streams of {layout.project}, in the order of streams.json; generated.",
            "#ifndef SEPHW_STREAMS_H",
            "#define SEPHW_STREAMS_H",
            '#include "Vtop.h"',
            '#include "Vtop___024root.h"',
            "",
            "namespace sephw {",
            "",
            "using Model = Vtop;",
            f"constexpr unsigned INPUTS = {len(layout.inputs)};",
            f"constexpr unsigned OUTPUTS = {len(layout.outputs)};",
            f"constexpr unsigned STREAMS = {len(streams)};",
            "// Inputs that bring the same at every pixel.",
            f"constexpr bool CONSTANT[] = {{{_constants(layout)}}};",
            "// Beats a frame.",
            f"constexpr unsigned long long WORDS[] = {{{_numbers(layout)}}};",
            f"constexpr const char *NAMES[] = {{{quoted}}};",
            "",
            *function("each_input", layout.inputs),
            *function("each_output", layout.outputs),
            *function("each_stream", tuple(streams)),
            "",
            "}  // namespace sephw",
            "#endif",
            "",
        ]
    )


def _constants(layout: Layout) -> str:
    return ", ".join(str(layout.streams[name].constant).lower() for name in layout.inputs)


def _numbers(layout: Layout) -> str:
    return ", ".join(str(stream.words) for stream in layout.streams.values())
