"""The benchmark of random networks: what it draws is legal, what fails becomes small, a few run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.random_networks.check import Outcome, Status, check, check_all
from benchmarks.random_networks.describe import (
    Case,
    Convolution,
    Hardware,
    IllegalNetworkError,
    Join,
    MaxPool,
    Network,
    Skip,
    from_json,
    shapes_of,
    to_json,
)
from benchmarks.random_networks.draw import draw
from benchmarks.random_networks.features import features
from benchmarks.random_networks.results import Result, append, read
from benchmarks.random_networks.shrink import candidates, shrink
from benchmarks.random_networks.simulate import Simulator
from sephw.ops import MaxPool as MaxPoolEngine
from sephw.tools.icarus import icarus_is_installed

SEED = 1
# What every run of some hundred networks has to meet.
WANTED = (
    "input: H ≠ W",
    "input: odd size",
    "pattern 1×3",
    "pattern 5×1",
    "pattern, depthwise",
    "pattern, groups",
    "8-bit 1×1",
    "8-bit 3×3",
    "8-bit, groups",
    "pattern, stride 2",
    "pattern, unequal padding",
    "pattern, bias",
    "activation: 2 bits",
    "activation: 7 bits",
    "scale_bits 1",
    "sum of 3 branches",
    "identity branch",
    "concatenation of 3",
    "max-pool, ceil_mode",
    "max-pool, padded",
    "average pool 3×3",
    "average pool 6×6",
    "batch norm: zero gamma",
    "batch norm: negative gamma",
    "batch norm: tiny variance",
    "batch norm: huge variance",
    "batch norm: none",
    "weights: dead filters",
    "output: linear layer",
    "output: map of sums",
    "output: quantized map",
    "output: pooled",
    "FIFO depths: random",
    "weights: bandwidth limited",
)


def test_what_is_drawn_is_legal_has_every_part_and_survives_json() -> None:
    met: set[str] = set()
    for index in range(300):
        case = draw(SEED, index)
        assert from_json(to_json(case)) == case
        assert set(shapes_of(case.network)) == {"image", *(p.name for p in case.network.parts)}
        met |= features(case)
    assert not [word for word in WANTED if word not in met]
    assert draw(SEED, 7) == draw(SEED, 7) != draw(SEED + 1, 7)


@pytest.mark.parametrize(
    "change",
    [{"groups": 2}, {"padding": (3, 0)}, {"kernel": (9, 1)}, {"source": "p9"}, {"kernel": (1, 1)}],
)
def test_a_description_that_is_no_network_is_refused(change) -> None:
    conv = Convolution("image", 4, (3, 3), pattern=True)
    network = Network(5, 6, 3, (Join("p0", (conv,)),), (Skip("p0"),))
    shapes_of(network)
    wrong = replace(network, parts=(Join("p0", (replace(conv, **change),)),))
    with pytest.raises(IllegalNetworkError):
        shapes_of(wrong)


def test_what_fails_shrinks_to_the_part_that_fails() -> None:
    def fails(case: Case) -> Outcome:
        pools = [p for p in case.network.parts if isinstance(p, MaxPool)]
        wrong = any(p.ceil_mode and p.stride > 1 for p in pools)
        return Outcome(Status.MISMATCH if wrong else Status.EXACT, "rtlsim against torch")

    drawn = (draw(SEED, index) for index in range(200))
    large = [case for case in drawn if fails(case).bad and len(case.network.parts) > 3]
    assert len(large) > 2
    for case in large[:3]:
        plain = replace(case, hardware=Hardware())  # spelling out foldings would need the product
        smallest, outcome = shrink(plain, fails(plain), fails)
        (pool,) = smallest.network.parts
        assert outcome.bad and isinstance(pool, MaxPool)
        assert (pool.stride, pool.ceil_mode, pool.padding, pool.source) == (
            2,
            True,
            (0, 0),
            "image",
        )
        assert not any(fails(candidate).bad for candidate in candidates(smallest))


def test_results_are_read_again_and_a_torn_line_is_not(tmp_path) -> None:
    path = tmp_path / "results.jsonl"
    first = Result(SEED, 3, Outcome(Status.REFUSED, "freeze", "why", families=("join select",)))
    last = Result(SEED, 3, Outcome(Status.EXACT, elements=7))
    append(path, [first, Result(SEED + 1, 3, first.outcome)])
    assert read(path, SEED) == {3: first}
    append(path, [last])
    with path.open("a") as file:
        file.write('{"seed": 1, "index": 4, "outc')
    assert read(path, SEED) == {3: last}


def test_networks_are_exact() -> None:
    outcomes = check_all([draw(SEED, index) for index in (12, 15)])
    assert [outcome.status for outcome in outcomes] == [Status.EXACT] * 2, outcomes
    for outcome in outcomes:
        assert outcome.representations == (
            "torch",
            "qonnx",
            "integer",
            "csim",
            "rtlsim",
            "cyclesim",
        )
        assert outcome.elements > 1000 and outcome.beats > 100


@pytest.mark.skipif(not icarus_is_installed(), reason="Icarus is not installed")
def test_a_network_is_exact_in_a_second_simulator() -> None:
    outcome = check(draw(SEED, 15), Simulator.ICARUS)
    assert outcome.status is Status.EXACT and "rtlsim" in outcome.representations, outcome


def test_a_wrong_engine_is_found_and_named(monkeypatch) -> None:
    right = MaxPoolEngine.reference

    def wrong(self, *inputs):
        (values,) = right(self, *inputs)
        return (np.minimum(values + 1, self.dtype.max),)

    pool = MaxPool("p1", "p0", (2, 2), 2)
    conv = Join("p0", (Convolution("image", 2, (3, 3), pattern=True),))
    case = Case(Network(6, 5, 1, (conv, pool), (Skip("p1"),)), Hardware())
    monkeypatch.setattr(MaxPoolEngine, "reference", wrong)
    outcome = check(case, Simulator.ICARUS if icarus_is_installed() else Simulator.VERILATOR)
    assert outcome.status is Status.MISMATCH
    assert outcome.step == "integer against torch" and "'parts.p1'" in outcome.reason
