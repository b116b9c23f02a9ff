"""What Vitis HLS asks of the kernels beyond C++, as far as their text shows it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from kernel_harness import run_cases

from sephw.hls import HEADERS
from sephw.ir import Case, Folding, IntType, Operator
from sephw.ops import OPERATORS, AveragePool, GlobalPool, MaxPool

KERNELS = sorted(HEADERS.glob("*.h"))
# Registers of so many words at most; see sephw_pool_store.h.
MOST_REGISTERS = 8


def pragmas(text: str, kind: str) -> list[str]:
    return re.findall(rf"#pragma HLS {kind} .*", text.replace("\\\n", ""))


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_pragmas(path: Path) -> None:
    text = path.read_text()
    for line in pragmas(text, "DEPENDENCE"):
        # A distance that is a name is not taken.
        assert re.search(r"distance = \d+ dependent = true|dependent = false", line), line
    for kind in ("ARRAY_RESHAPE", "ARRAY_PARTITION"):
        for line in pragmas(text, kind):
            # Cyclic with a factor that is no power of two divides every address.
            assert " complete " in line, line
            (name,) = re.findall(r"variable = (\w+)", line)
            if re.search(rf"\b{name}\[words\];", text):
                assert path.stem == "sephw_pool_store", f"{path.stem}: as many registers as words"
    # Tables have a row for each word.
    assert not re.search(r"\[[^\]]*\* ?(lanes|LANES)\b[^\]]*\+", text)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.kind)
def test_a_kernel_is_one_template(operator: type[Operator]) -> None:
    """No overloads by the number of streams; CONFIG first, since a call names it alone."""
    for case in operator.cases():
        instance = case.operator.hls(case.folding)
        text = dict(instance.generated).get(instance.header) or (
            HEADERS / instance.header
        ).read_text("utf-8")
        heads = re.findall(rf"template <([^;{{]*)>\s*void {instance.function}\(", text)
        assert [head.split(",")[0] for head in heads] == ["typename CONFIG"]


@pytest.mark.parametrize("name", ["sephw_sliding_window", "sephw_tile_buffer"])
def test_addresses_are_counted(name: str) -> None:
    """No product in what one iteration hands to the next one: constants alone are multiplied."""
    loop = (HEADERS / f"{name}.h").read_text().split("Issues:")[1]
    for left, right in re.findall(r"(\S+) \* (\S+)", loop):
        assert all("CONFIG::" in term or "plan::" in term for term in (left, right))


def test_pools_in_memory(tmp_path: Path) -> None:
    """More words than are registers, and as many."""
    dtype = IntType(5, signed=True)
    rng = np.random.default_rng(6)
    cases = []
    for channels in (MOST_REGISTERS, MOST_REGISTERS + 1, 24):
        shape = {"height": 3, "width": 2, "channels": channels, "dtype": dtype}
        taps = {"kernel_height": 2, "kernel_width": 1}
        for operator in (
            GlobalPool(**shape),
            MaxPool(**shape, **taps),
            AveragePool(**shape, **taps),
        ):
            frames = rng.integers(dtype.min, dtype.max + 1, (3, *operator.input_shapes[0]))
            cases.append(Case(operator.kind, operator, Folding(1, 1), (frames,)))
    for case, outputs in zip(cases, run_cases(cases, tmp_path), strict=True):
        assert np.array_equal(outputs[0], case.operator.reference(*case.inputs)[0]), case.label
