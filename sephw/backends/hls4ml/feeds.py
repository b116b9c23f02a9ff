"""Streamed weights of a project: files of their beats, and a top function that supplies them."""

from __future__ import annotations

from pathlib import Path

from sephw.backends.layout import Layout
from sephw.ir import Graph

HEADER = "sephw_feeds.h"
# Defined as the folder with the files where the program does not run in the project.
FOLDER_MACRO = "SEPHW_FEEDS"
_FOLDER = "tb_data"


def constant_input_files(layout: Layout, directory: Path) -> dict[str, Path]:
    """The file of each weight input's values in the project in ``directory``."""
    return {
        name: directory / _FOLDER / f"tb_{layout.streams[name].variable}.dat"
        for name in layout.inputs
        if layout.streams[name].constant
    }


def write_constant_inputs(graph: Graph, layout: Layout, directory: Path) -> None:
    """Write these files and a header with ``sephw::fed_top``; nothing without weight inputs."""
    files = constant_input_files(layout, directory)
    if not files:
        return
    for name, path in files.items():
        path.write_text(" ".join(map(str, graph.constants[name].tolist())) + "\n")
    lines = []
    for name, path in files.items():
        stream = layout.streams[name]
        pixels = stream.height * stream.width
        lines += [
            f'    hls::stream<{stream.variable}_t> {stream.variable}("{stream.variable}");',
            f'    feed({stream.variable}, std::string({FOLDER_MACRO}) + "/{path.name}", {pixels});',
        ]
    ends = ", ".join(
        layout.streams[name].variable if name in files else "in" for name in layout.inputs
    )
    text = [
        f"// {layout.project} with its constant inputs filled from {_FOLDER}; generated.",
        "#ifndef SEPHW_FEEDS_H_",
        "#define SEPHW_FEEDS_H_",
        "",
        f'#include "firmware/{layout.project}.h"',
        '#include "firmware/nnet_utils/sephw_feed.h"',
        "",
        f"#ifndef {FOLDER_MACRO}",
        f'#define {FOLDER_MACRO} "{_FOLDER}"',
        "#endif",
        "",
        "namespace sephw {",
        "",
        "inline void fed_top(hls::stream<input_t> &in, hls::stream<result_t> &out) {",
        *lines,
        f"    {layout.project}({ends}, out);",
        "}",
        "",
        "} // namespace sephw",
        "",
        "#endif",
        "",
    ]
    (directory / HEADER).write_text("\n".join(text), encoding="utf-8")


def top_of(layout: Layout) -> tuple[str, str]:
    """(header, function) of the top that takes the images' and the output's stream alone."""
    if len(layout.inputs) > 1:
        return HEADER, "sephw::fed_top"
    return f"firmware/{layout.project}.h", layout.project
