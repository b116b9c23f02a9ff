"""The engines in a second simulator, with unknown values: Icarus, where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from case_project import CaseProject, write_cases
from engine_contract import differences, random_patterns
from project_graphs import images_for, residual_graph

from sephw.backends.rtl import ResetPulse, RtlRun, write_project
from sephw.backends.rtl.icarus import compile_for_icarus
from sephw.errors import SephwError
from sephw.ir import Folding
from sephw.ops import OPERATORS, BitParallel, DigitSerial, Join, PatternConv, WidthConverter
from sephw.passes import LoweringStage
from sephw.sim import cycles
from sephw.tools.icarus import icarus_is_installed

pytestmark = pytest.mark.skipif(not icarus_is_installed(), reason="Icarus is not installed")
# It takes a millisecond a cycle for all of them; longer cases run in Verilator alone.
LONGEST_CYCLES = 150
RESETS = [ResetPulse(61, 1), ResetPulse(140, 2), ResetPulse(33, 1)]


def run(project: CaseProject, resets: Sequence[ResetPulse] = RESETS) -> list[str]:
    sources = random_patterns(project.graph.inputs, 0.8, 3)
    sinks = random_patterns(project.graph.outputs, 0.8, 4)
    found = compile_for_icarus(project.directory).run(
        project.images, source_gaps=sources, sink_stalls=sinks, check_stable=True, resets=resets
    )
    return differences(project, found, sources, sinks)


def test_values_and_cycles_of_engines(tmp_path: Path) -> None:
    cases = [case for operator in OPERATORS for case in operator.cases()]
    short = [c for c in cases if c.operator.schedule(c.folding).frame_cycles <= LONGEST_CYCLES]
    assert {type(case.operator) for case in short} == set(OPERATORS)
    assert not (wrong := run(write_cases(short, tmp_path, seed=2))), "\n".join(wrong)


def test_values_and_cycles_of_a_network(tmp_path: Path) -> None:
    foldings = {
        "blocks.0.pattern": Folding(engine=DigitSerial(4)),
        "classifier": Folding(engine=BitParallel()),
    }
    graph = residual_graph(frame_cycles=512, foldings=foldings, until=LoweringStage.FIFO_DEPTHS)
    images = images_for(graph, 2).astype(np.int64)
    golden = graph.run(images)
    write_project(graph, tmp_path, samples={}, golden={})
    found = compile_for_icarus(tmp_path).run(images, resets=[ResetPulse(300, 1)])
    expected = cycles.run(graph, images)
    for tensor in graph.tensors:
        assert np.array_equal(found.values[tensor], golden[tensor]), tensor
        assert np.array_equal(found.pops[tensor], expected.pops[tensor]), tensor


@pytest.fixture
def few(tmp_path: Path) -> CaseProject:
    wanted = {
        (PatternConv, "signed input"),
        (Join, "three branches"),
        (WidthConverter, "widen by three"),
    }
    cases = [
        case
        for operator in OPERATORS
        for case in operator.cases()
        if (type(case.operator), case.label) in wanted and not case.folding.engine.whole_window
    ]
    return write_cases(cases, tmp_path, seed=3)


def change(project: CaseProject, name: str, old: str, new: str) -> None:
    source = project.directory / name
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))


def test_valid_bits_that_outlive_a_reset_are_found(few: CaseProject) -> None:
    """The frames that follow a short reset take another output's correction."""
    change(few, "sephw_conv_engine.sv", "if (!rst_n) valid <= '0;\n    else valid", "valid")
    wrong = [line for at in range(40, 60, 4) for line in run(few, [ResetPulse(at, 1)])]
    assert {line.split(":")[0] for line in wrong} == {"PatternConv 'signed input'"}


def test_unknown_values_are_found(few: CaseProject) -> None:
    """A counter that no reset sets."""
    change(few, "sephw_modulo_counter.sv", "if (!rst_n) begin", "if (0) begin")
    with pytest.raises(SephwError) as error:
        run(few)
    message = str(error.value)
    assert message.startswith("RTL simulation by Icarus of 'cases_top': stream '")
    assert "': unknown bits in cycle " in message


def test_other_ends(few: CaseProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiled = compile_for_icarus(few.directory)
    with pytest.raises(SephwError, match=r"no waveforms; take them from Verilator's simulation$"):
        compiled.run(few.images, trace=tmp_path / "x.vcd")
    late = np.zeros(3000, np.bool_)
    late[2000] = True
    with pytest.raises(SephwError, match=r"stalled in cycle \d+; beats missing: \d+$"):
        compiled.run(
            few.images, sink_stalls=dict.fromkeys(few.graph.outputs, late), quiet_limit_cycles=200
        )
    assert isinstance(compiled.run(few.images), RtlRun)
    change(few, "sephw_fifo.sv", "output logic            head_valid", "output 1")
    with pytest.raises(SephwError, match=r"^RTL simulation by Icarus: sephw_fifo\.sv:\d+: syntax"):
        compile_for_icarus(few.directory)
    with pytest.raises(SephwError, match="is not an exported RTL project"):
        compile_for_icarus(tmp_path / "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SephwError) as error:
        compile_for_icarus(few.directory)
    assert str(error.value) == (
        "RTL simulation by Icarus: Icarus Verilog is not on the PATH; install it with "
        "'apt-get install iverilog'"
    )
