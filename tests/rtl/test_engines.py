"""Every operator's cases in RTL: values and the cycle of every beat, with and without pauses."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from case_project import CaseProject, write_cases
from engine_contract import differences, random_patterns, random_resets

from sephw.backends.rtl import compile_project
from sephw.backends.rtl.project import FILE_LIST
from sephw.errors import SephwError
from sephw.ops import OPERATORS
from sephw.tools.verilator import lint
from sephw.tools.yosys import elaborate

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> CaseProject:
    cases = [case for operator in OPERATORS for case in operator.cases()]
    return write_cases(cases, tmp_path_factory.mktemp("cases"), seed=1)


@pytest.fixture(scope="module")
def compiled(project: CaseProject):
    return project.compile()


def _lint(project: CaseProject) -> None:
    files = (project.directory / FILE_LIST).read_text().split()
    lint(files, "cases_top", project.directory, purpose="lint")


def test_no_warnings(project: CaseProject) -> None:
    _lint(project)


def test_lines_are_at_most_100_columns() -> None:
    sources = sorted((ROOT / "rtl").glob("*.sv")) + sorted((ROOT / "formal").glob("*.sv"))
    assert len(sources) > 50
    long = [
        f"{file.name}:{number}"
        for file in sources
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if len(line) > 100
    ]
    assert long == []


def test_a_warning_is_an_error(project: CaseProject) -> None:
    source = project.directory / "sephw_modulo_counter.sv"
    kept = source.read_text()
    source.write_text(kept.replace("endmodule", "  wire [3:0] loose = 5'd9;\nendmodule"))
    with pytest.raises(SephwError) as error:
        _lint(project)
    source.write_text(kept)
    assert str(error.value).startswith("lint: %Warning-WIDTHTRUNC: sephw_modulo_counter.sv:")


@pytest.mark.parametrize(
    ("source", "sink"),
    [(None, None), (0.5, None), (None, 0.4), (0.6, 0.6), (0.1, 0.9), (0.9, 0.1), (0.03, 0.03)],
    ids=str,
)
def test_values_and_cycles(project: CaseProject, compiled, source, sink) -> None:
    check(project, compiled, source, sink, [])


@pytest.mark.parametrize("seed", range(8))
def test_values_and_cycles_after_a_reset(project: CaseProject, compiled, seed) -> None:
    """In whatever state the engines are, after whatever time in reset."""
    source, sink = [(None, None), (0.7, 0.7), (None, 0.5)][seed % 3]
    check(project, compiled, source, sink, random_resets(seed), seed)


def check(project, compiled, source, sink, resets, seed=1) -> None:
    sources = random_patterns(project.graph.inputs, source, 3)
    sinks = random_patterns(project.graph.outputs, sink, 4)
    found = compiled.run(
        project.images,
        source_gaps=sources,
        sink_stalls=sinks,
        check_stable=True,
        resets=resets,
        seed=seed,
    )
    assert not (wrong := differences(project, found, sources, sinks)), "\n".join(wrong)


def test_source_is_broken(project: CaseProject, tmp_path) -> None:
    """Verilator's own message comes through."""
    for path in project.directory.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    fifo = tmp_path / "sephw_fifo.sv"
    fifo.write_text(fifo.read_text().replace("endmodule", "endmodul"))
    with pytest.raises(SephwError) as error:
        compile_project(tmp_path)
    assert re.fullmatch(
        r"RTL simulation: %Error: sephw_fifo.sv:\d+:\d+: syntax error, .*", str(error.value)
    )


def test_inputs_are_checked(project: CaseProject, compiled) -> None:
    images = dict(project.images)
    name = project.graph.inputs[0]
    images[name] = images[name] + 4096
    with pytest.raises(SephwError, match=r"^RTL simulation of 'cases_top': image values \d+"):
        compiled.run(images)
    images[name] = images[name][:, :-1]
    with pytest.raises(SephwError, match=r"^RTL simulation of 'cases_top': images of shape"):
        compiled.run(images)


def test_a_sink_that_never_takes(project: CaseProject, compiled) -> None:
    sinks = random_patterns(project.graph.outputs, 0.5, 1)
    sinks = {**sinks, project.graph.outputs[0]: sinks[project.graph.outputs[0]] & False}
    with pytest.raises(SephwError) as error:
        compiled.run(project.images, sink_stalls=sinks)
    assert str(error.value) == (
        f"RTL simulation: the pattern of '{project.graph.outputs[0]}' is never up"
    )


def test_stalled(project: CaseProject, compiled) -> None:
    """A sink that pauses for longer than the limit looks like a deadlock."""
    once = np.zeros(9000, np.bool_)
    once[5000] = True
    sinks = dict.fromkeys(project.graph.outputs, once)
    with pytest.raises(SephwError) as error:
        compiled.run(project.images, sink_stalls=sinks, quiet_limit_cycles=300)
    assert re.fullmatch(
        r"RTL simulation of 'cases_top': stalled in cycle \d+; beats missing: "
        r"('\w+' \d+, ){8}and others",
        str(error.value),
    )


def test_yosys_reads_every_engine(project: CaseProject) -> None:
    files = (project.directory / FILE_LIST).read_text().split()
    printed = elaborate(files, "cases_top", project.directory, purpose="elaboration")
    assert "Found and reported 0 problems." in printed


def test_yosys_names_a_missing_module(tmp_path) -> None:
    (tmp_path / "top.sv").write_text("module top; missing m(); endmodule\n")
    with pytest.raises(SephwError) as error:
        elaborate(["top.sv"], "top", tmp_path, purpose="elaboration")
    assert str(error.value) == (
        r"elaboration: ERROR: Module `\missing' referenced in module `\top' in cell `\m' "
        "is not part of the design."
    )
