"""Windows, whole windows and convolutions of random shapes and foldings, alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from case_project import CaseProject, write_cases
from engine_contract import differences, random_patterns

from sephw.errors import SephwError
from sephw.ir import Case, Folding, IntType
from sephw.ops import Multipliers, Select
from sephw.ops.common import random_tensor
from sephw.ops.conv8 import Conv8
from sephw.ops.pattern_conv import PatternConv
from sephw.ops.sliding_window import SlidingWindow

WINDOWS = 8
CONVOLUTIONS = 3


def _window(rng: np.random.Generator) -> SlidingWindow | None:
    """A random window, often with a map as small as its kernel; None where there is none."""
    kernel_height, kernel_width = rng.integers(1, 6, 2).tolist()
    height, width = rng.integers(1, 10, 2).tolist()
    stride, groups = rng.integers(1, 4, 2).tolist()
    top, left = int(rng.integers(kernel_height)), int(rng.integers(kernel_width))
    bottom, right = int(rng.integers(kernel_height)), int(rng.integers(kernel_width))
    output_height = (height + top + bottom - kernel_height) // stride + 1
    output_width = (width + left + right - kernel_width) // stride + 1
    if output_height < 1 or output_width < 1:
        return None
    try:
        return SlidingWindow(
            height=height,
            width=width,
            channels=groups * int(rng.integers(1, 5)),
            dtype=IntType(int(rng.integers(1, 9)), bool(rng.integers(2))),
            kernel_height=kernel_height,
            kernel_width=kernel_width,
            stride=stride,
            padding_top=top,
            padding_left=left,
            output_height=output_height,
            output_width=output_width,
            groups=groups,
        )
    except SephwError:
        return None


def _convolution(rng: np.random.Generator, kind: type) -> PatternConv | Conv8:
    kernel_height, kernel_width = rng.integers(1, 4, 2).tolist()
    groups, per_group, outputs = rng.integers(1, 7, 3).tolist()
    weights = rng.integers(
        -128, 128, (groups * outputs, kernel_height * kernel_width * per_group), np.int64
    )
    constants = (
        {"patterns": np.where(weights < 0, -1, 1)} if kind is PatternConv else {"weights": weights}
    )
    return kind(
        height=2,
        width=3,
        in_channels=groups * per_group,
        out_channels=groups * outputs,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        groups=groups,
        input_dtype=IntType(int(rng.integers(1, 11)), bool(rng.integers(2))),
        **constants,
    )


def _cases() -> Iterator[Case]:
    rng = np.random.default_rng(7)
    whole = lanes = 0
    while whole < WINDOWS or lanes < WINDOWS:
        operator = _window(rng)
        if operator is None:
            continue
        frames = (random_tensor(whole + lanes, operator.input_shapes[0], operator.dtype),)
        label = f"{operator}"
        if operator.parallel_folding is not None and whole < WINDOWS:
            whole += 1
            yield Case(label, operator, operator.parallel_folding, frames)
        if lanes < WINDOWS:
            lanes += 1
            legal = operator.legal_foldings()
            yield Case(label, operator, legal[int(rng.integers(len(legal)))], frames)
    for number in range(CONVOLUTIONS):
        for kind in (PatternConv, Conv8):
            operator = _convolution(rng, kind)
            legal = operator.legal_foldings()
            folding = legal[int(rng.integers(len(legal)))]
            frames = (random_tensor(number, operator.input_shapes[0], operator.input_dtype),)
            label = f"{folding} of {operator.matrix.shape}, {operator.input_dtype}"
            yield Case(label, operator, folding, frames)
            if kind is Conv8:
                for simd in (1, operator.group_inputs):
                    logic = Folding(pe=1, simd=simd, engine=Select(multipliers=Multipliers.LUT))
                    label = f"{logic} of {operator.matrix.shape}, {operator.input_dtype}"
                    yield Case(label, operator, logic, frames)
            for further in operator.further_foldings():
                label = f"{further} of {operator.matrix.shape}, {operator.input_dtype}"
                yield Case(label, operator, further, frames)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> CaseProject:
    return write_cases(list(_cases()), tmp_path_factory.mktemp("shapes"), seed=2)


@pytest.fixture(scope="module")
def compiled(project: CaseProject):
    return project.compile()


@pytest.mark.parametrize(("source", "sink"), [(None, None), (0.6, 0.6), (0.9, 0.1), (0.1, 0.9)])
def test_values_and_cycles(project: CaseProject, compiled, source, sink) -> None:
    sources = random_patterns(project.graph.inputs, source, 3)
    sinks = random_patterns(project.graph.outputs, sink, 4)
    found = compiled.run(project.images, source_gaps=sources, sink_stalls=sinks, check_stable=True)
    wrong = differences(project, found, sources, sinks)
    assert not wrong, "\n".join(wrong)


def test_whole_windows_cost_an_issue_a_pixel_and_the_padding_beyond() -> None:
    shape = {
        "height": 32,
        "width": 32,
        "channels": 16,
        "dtype": IntType(8, False),
        "kernel_height": 3,
        "kernel_width": 3,
        "padding_top": 1,
        "padding_left": 1,
    }
    same = SlidingWindow(output_height=32, output_width=32, **shape)
    # The last window's corner lies a row and a pixel beyond the map.
    assert same.frame_cycles(same.parallel_folding) == 32 * 32 + 32 + 1
    halved = SlidingWindow(output_height=16, output_width=16, stride=2, **shape)
    assert halved.frame_cycles(halved.parallel_folding) == 32 * 32
