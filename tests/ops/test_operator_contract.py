"""What every operator promises, over every one of its cases."""

from dataclasses import replace

import brute_force
import numpy as np
import pytest

from sephw.errors import SephwError
from sephw.ir import Case, Folding
from sephw.ops import OPERATORS, Multipliers, Select

CASES = [case for operator in OPERATORS for case in operator.cases()]


def name_of(case: Case) -> str:
    return f"{type(case.operator).__name__}: {case.label}"


@pytest.fixture(params=CASES, ids=name_of)
def case(request) -> Case:
    return request.param


def test_reference_equals_brute_force(case):
    found = case.operator.reference(*case.inputs)
    expected = brute_force.run(case.operator, case.inputs)
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.dtype == np.int64
        assert np.array_equal(mine, theirs)


def test_inputs_and_outputs_have_their_shapes_and_types(case):
    operator = case.operator
    outputs = operator.reference(*case.inputs)
    ends = [
        *zip(case.inputs, operator.input_shapes, operator.input_types, strict=True),
        *zip(outputs, operator.output_shapes, operator.output_types, strict=True),
    ]
    for values, shape, dtype in ends:
        assert values.shape[1:] == shape
        assert dtype.min <= values.min() and values.max() <= dtype.max


def test_every_legal_folding_moves_every_element_once(case):
    operator = case.operator
    legal = operator.legal_foldings()
    assert len(set(legal)) == len(legal)
    further = operator.further_foldings()
    assert len({*legal, *further}) == len(legal) + len(further)
    # What multipliers are made of, and where registers are, is nobody's choice of lanes.
    bare = case.folding
    if isinstance(bare.engine, Select):
        options = replace(bare.engine, multipliers=Multipliers.DSP, adder_levels=1)
        bare = replace(bare, engine=options)
    assert bare in (*legal, *further)
    products = [f.pe * f.simd for f in legal]
    assert products == sorted(products)
    for folding in (*legal, *further):
        operator.check_folding(folding, "")
        schedule = operator.schedule(folding)
        sides = (
            (operator.input_streams(folding), schedule.reads, operator.input_shapes),
            (operator.output_streams(folding), schedule.writes, operator.output_shapes),
        )
        for streams, masks, shapes in sides:
            for stream, mask, shape in zip(streams, masks, shapes, strict=True):
                assert mask.dtype == np.uint8
                assert mask.shape == (schedule.issues,)
                assert set(np.unique(mask)) <= {0, 1}
                assert mask.sum() == stream.words
                assert stream.words * stream.lanes == np.prod(shape)
        assert operator.frame_cycles(folding) == schedule.frame_cycles
        assert schedule.latency_cycles >= 1


def test_more_lanes_never_take_longer(case):
    operator = case.operator
    legal = operator.legal_foldings()
    cycles = {f: operator.frame_cycles(f) for f in legal}
    for a in legal:
        for b in legal:
            if b.pe % a.pe == 0 and b.simd % a.simd == 0:
                assert cycles[b] <= cycles[a]


def test_hls_instance_says_what_the_kernel_needs(case):
    operator = case.operator
    for folding in operator.legal_foldings():
        instance = operator.hls(folding)
        parameters = dict(instance.parameters)
        assert len(parameters) == len(instance.parameters)
        assert instance.function == operator.kind
        assert instance.header == f"sephw_{operator.kind}.h"
        assert parameters["pe"] == folding.pe and parameters["simd"] == folding.simd
        assert parameters["issues"] == operator.frame_cycles(folding)
        for table in instance.tables:
            assert table.values.ndim == 2 and table.values.dtype == np.int64
            assert table.dtype.min <= table.values.min()
            assert table.values.max() <= table.dtype.max


def test_an_illegal_folding_names_the_module_and_the_legal_values(case):
    legal = case.operator.legal_foldings()
    pes = ", ".join(str(n) for n in sorted({f.pe for f in legal}))
    with pytest.raises(SephwError) as error:
        case.operator.check_folding(Folding(pe=999, simd=1), "Conv 'net.layer'")
    assert str(error.value) == f"Conv 'net.layer': pe=999 is not legal; legal pe: {pes}"


def test_cases_are_the_same_every_time(case):
    again = next(c for c in type(case.operator).cases() if c.label == case.label)
    for a, b in zip(case.inputs, again.inputs, strict=True):
        assert np.array_equal(a, b)


def test_kinds_are_unique():
    kinds = [operator.kind for operator in OPERATORS]
    assert len(set(kinds)) == len(kinds)
