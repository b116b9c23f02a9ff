"""Every engine alone: values and the cycle of every beat, with and without back-pressure."""

from __future__ import annotations

import numpy as np
import pytest
from case_project import CaseProject, write_cases
from engine_recurrence import play

from sephw.ops import OPERATORS

PATTERN_CYCLES = 1009


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> CaseProject:
    cases = [case for operator in OPERATORS for case in operator.cases()]
    return write_cases(cases, tmp_path_factory.mktemp("cases"), seed=1)


@pytest.fixture(scope="module")
def compiled(project: CaseProject):
    return project.compile()


def _patterns(names: tuple[str, ...], density: float | None, seed: int):
    """A pattern of its own for every stream; None where it is always up."""
    if density is None:
        return {}
    rng = np.random.default_rng(seed)
    return {name: rng.random(PATTERN_CYCLES) < density for name in names}


@pytest.mark.parametrize(
    ("source", "sink"),
    [(None, None), (0.5, None), (None, 0.4), (0.6, 0.6), (0.1, 0.9), (0.9, 0.1)],
    ids=str,
)
def test_values_and_cycles(project: CaseProject, compiled, source, sink) -> None:
    graph = project.graph
    sources = _patterns(graph.inputs, source, 3)
    sinks = _patterns(graph.outputs, sink, 4)
    found = compiled.run(project.images, source_gaps=sources, sink_stalls=sinks, check_stable=True)
    wrong = []
    for node, case in project.pairs:
        where = f"{type(case.operator).__name__} '{case.label}'"
        expected = case.operator.reference(*case.inputs)
        for name, values in zip(node.outputs, expected, strict=True):
            if not np.array_equal(found.values[name], values):
                wrong.append(f"{where}: values of {name}")
        beats = play(
            case.operator.schedule(case.folding),
            [graph.tensors[name].fifo_depth for name in node.outputs],
            project.frames,
            [_listed(sources.get(name)) for name in node.inputs],
            [_listed(sinks.get(name)) for name in node.outputs],
        )
        ends = (*node.inputs, *node.outputs)
        for name, cycles in zip(ends, (*beats.inputs, *beats.outputs), strict=True):
            taken = found.pops[name].tolist()
            if taken != cycles:
                at = next(k for k, (a, b) in enumerate(zip(taken, cycles, strict=True)) if a != b)
                wrong.append(f"{where}: {name}: beat {at} in {taken[at]}, contract {cycles[at]}")
    assert not wrong, "\n".join(wrong)


def _listed(pattern):
    return None if pattern is None else pattern.tolist()
