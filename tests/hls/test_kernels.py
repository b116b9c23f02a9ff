"""Every kernel, every case of its operator: equal to the integer reference, no beat too many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_harness import compile_cases, run_cases

from sephw.ir import Operator
from sephw.ops import OPERATORS

each_operator = pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.kind)


@each_operator
def test_kernel_equals_reference(operator: type[Operator], tmp_path: Path) -> None:
    cases = list(operator.cases())
    for case, outputs in zip(cases, run_cases(cases, tmp_path), strict=True):
        expected = case.operator.reference(*case.inputs)
        for got, want in zip(outputs, expected, strict=True):
            assert np.array_equal(got, want), f"{operator.kind}: {case.label}"


@each_operator
@pytest.mark.parametrize("standard", ["c++11", "c++14"])
def test_kernel_compiles_as_older_cxx(
    operator: type[Operator], standard: str, tmp_path: Path
) -> None:
    """The project scripts for Vitis HLS that hls4ml writes ask for C++11."""
    compile_cases(list(operator.cases())[:2], tmp_path, standard, "-fsyntax-only")
