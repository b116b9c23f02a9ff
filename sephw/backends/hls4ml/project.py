"""Writes the complete hls4ml Vitis project of a graph."""

from __future__ import annotations

import contextlib
import io
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml  # type: ignore[import-untyped]
from numpy.typing import NDArray

from sephw.backends.hls4ml.feeds import top_of, write_constant_inputs
from sephw.backends.layout import Layout, lay_out, write_stream_list
from sephw.errors import SephwError
from sephw.hls import HEADERS
from sephw.ir import Graph, Integers

_CONFIG = "hls4ml_config.yml"


def write_project(
    graph: Graph,
    directory: Path,
    *,
    clock_ns: float,
    part: str,
    samples: NDArray[np.uint8],
    golden: Integers,
) -> None:
    """Write the project to ``directory``, the same bytes for the same arguments.

    ``graph`` must be folded, with forks and width converters. ``samples`` uint8 (N, H, W, C) and
    ``golden`` int64 (N, h, w, c), the graph's outputs for them, become the testbench's data, with
    what constant inputs bring. The project holds no absolute path: ``vitis-run --mode hls --tcl
    build_prj.tcl`` in it synthesizes, ``bash build_lib.sh`` compiles hls4ml's own library.
    Raises SephwError for a graph that cannot be wired, for data of another shape, and if hls4ml is
    not installed.
    """
    _check_ends(graph)
    layout = lay_out(graph)
    _check_data(layout, samples, golden)
    directory.mkdir(parents=True, exist_ok=True)
    with _silent():
        try:
            from sephw.backends.hls4ml.host import build_model, write_model
        except ImportError as error:
            raise SephwError(
                f"hls4ml cannot be imported ({error}); install it with 'pip install hls4ml==1.3.0'"
            ) from None
        write_model(build_model(graph, layout, directory, clock_ns=clock_ns, part=part))
    _write_generated(graph, directory / "firmware" / "nnet_utils")
    _shape_tables(graph, layout, directory / "firmware")
    _write_data(directory / "tb_data", samples, golden)
    write_constant_inputs(graph, layout, directory)
    _write_testbench(layout, directory)
    write_stream_list(layout, directory)
    shutil.copyfile(HEADERS / "sephw_csim.cpp", directory / "sephw_csim.cpp")
    _relocate(directory)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """hls4ml prints its progress, and warns of packages it would use if they were there."""
    sink = io.StringIO()
    with (
        contextlib.redirect_stdout(sink),
        contextlib.redirect_stderr(sink),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def _check_ends(graph: Graph) -> None:
    images = tuple(name for name in graph.inputs if name not in graph.constants)
    for what, tensors in (("inputs", images), ("outputs", graph.outputs)):
        if len(tensors) != 1:
            raise SephwError(
                f"graph '{graph.name}': {len(tensors)} {what}; the hls4ml project takes exactly one"
            )


def _check_data(layout: Layout, samples: NDArray[np.uint8], golden: Integers) -> None:
    for what, values, tensor in (
        ("samples", samples, layout.input),
        ("golden outputs", golden, layout.output),
    ):
        shape = layout.streams[tensor].shape
        if values.shape[1:] != shape:
            raise SephwError(
                f"{what} of shape {values.shape[1:]} do not fit tensor '{tensor}' of shape {shape}"
            )
    if len(samples) != len(golden):
        raise SephwError(f"{len(samples)} samples, but {len(golden)} golden outputs")


def _write_generated(graph: Graph, directory: Path) -> None:
    """The engines' own headers, beside those that every project has."""
    for node in graph.nodes:
        for name, text in node.operator.hls(node.folding).generated:
            (directory / name).write_text(text, encoding="utf-8")


def _shape_tables(graph: Graph, layout: Layout, firmware: Path) -> None:
    """Give tables their rows: hls4ml writes arrays flat, and its own engines count in them."""
    source = firmware / f"{layout.project}.cpp"
    text = source.read_text(encoding="utf-8")
    for node in graph.nodes:
        for table in node.operator.hls(node.folding).tables:
            name = f"{layout.engines[node.name]}_{table.name}"
            words, lanes = table.values.shape
            header = firmware / "weights" / f"{name}.h"
            flat, shaped = f" {name}[{table.values.size}]", f" {name}[{words}][{lanes}]"
            header.write_text(_replaced(header.read_text(encoding="utf-8"), flat, shaped))
            # C-simulation reads a file into them, one number after the other.
            size = table.values.size
            call = f"load_weights_from_txt<{name}_t, {size}>("
            text = _replaced(text, f"{call}{name}, ", f"{call}({name}_t *){name}, ")
    source.write_text(text, encoding="utf-8")


def _replaced(text: str, old: str, new: str) -> str:
    if old not in text:
        raise SephwError(f"hls4ml's project has no '{old.strip()}'; use hls4ml 1.3.0")
    return text.replace(old, new)


def _write_data(directory: Path, samples: NDArray[np.uint8], golden: Integers) -> None:
    directory.mkdir(exist_ok=True)
    for name, values in (
        ("tb_input_features.dat", samples),
        ("tb_output_predictions.dat", golden),
    ):
        rows = (" ".join(map(str, frame.ravel().tolist())) for frame in values)
        (directory / name).write_text("".join(f"{row}\n" for row in rows))


def _write_testbench(layout: Layout, directory: Path) -> None:
    """In place of hls4ml's, which prints but does not compare."""
    header, top = top_of(layout)
    (directory / f"{layout.project}_test.cpp").write_text(
        f'#include "{header}"\n'
        '#include "firmware/nnet_utils/nnet_helpers.h"\n'
        '#include "firmware/nnet_utils/sephw_testbench.h"\n\n'
        f"int main() {{ return sephw::run_testbench<input_t, result_t>(&{top}); }}\n"
    )


def _relocate(directory: Path) -> None:
    """Take the place of writing out of the one file where hls4ml notes it."""
    path = directory / _CONFIG
    content = yaml.safe_load(path.read_text())
    content["OutputDir"] = "."
    path.write_text(yaml.safe_dump(content))
