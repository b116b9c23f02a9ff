"""Comparison of representations: one wrong integer anywhere is found and named."""

from dataclasses import replace

import numpy as np
import pytest

from sephw.verify import CheckedTensor, describe, merge, verify

TENSORS = (
    CheckedTensor("windows", "stem.conv", ()),
    CheckedTensor("acc", "stem.conv"),
    CheckedTensor("logits", "classifier"),
)
SHAPES = {"windows": (2, 3, 3, 9), "acc": (2, 3, 3, 4), "logits": (2, 1, 1, 10)}
NAMES = ("all 0", "all 255")


def equal_values():
    rng = np.random.default_rng(1)
    base = {name: rng.integers(-99, 99, shape) for name, shape in SHAPES.items()}
    shared = {name: base[name] for name in ("acc", "logits")}
    return {
        "torch": {k: v.copy() for k, v in shared.items()},
        "qonnx": {k: v.copy() for k, v in shared.items()},
        "integer": {k: v.copy() for k, v in base.items()},
        "csim": {k: v.copy() for k, v in base.items()},
    }


def run(values):
    return verify(TENSORS, values, data="digits", samples=NAMES)


def test_equal_values_are_exact():
    found = run(equal_values())
    assert found.exact and found.first_mismatch is None
    pairs = [(c.name, c.representation, c.against, c.elements) for c in found.checks]
    assert pairs == [
        ("windows", "csim", "integer", 162),
        ("acc", "qonnx", "torch", 72),
        ("acc", "integer", "torch", 72),
        ("acc", "csim", "torch", 72),
        ("logits", "qonnx", "torch", 20),
        ("logits", "integer", "torch", 20),
        ("logits", "csim", "torch", 20),
    ]


@pytest.mark.parametrize("representation", ["qonnx", "integer", "csim"])
def test_one_wrong_integer_is_named(representation):
    values = equal_values()
    right = int(values["torch"]["acc"][1, 2, 0, 3])
    values[representation]["acc"][1, 2, 0, 3] = right + 1
    found = run(values)
    assert not found.exact
    assert [
        c.mismatches for c in found.checks if c.representation == representation and c.name == "acc"
    ] == [1]
    assert sum(c.mismatches for c in found.checks) == 1
    assert describe(found.first_mismatch, found.samples) == (
        f"layer 'stem.conv' (tensor 'acc'), {representation} against torch: sample 1 (all 255), "
        f"row 2, column 0, channel 3 is {right + 1}, expected {right} (1 of 72 elements differ)"
    )


def test_wrong_torch_contradicts_every_other():
    values = equal_values()
    values["torch"]["logits"][0, 0, 0, 9] -= 1
    failing = [(c.name, c.representation) for c in run(values).checks if c.mismatches]
    assert failing == [("logits", "qonnx"), ("logits", "integer"), ("logits", "csim")]


@pytest.mark.parametrize("representation", ["integer", "csim"])
def test_wrong_hardware_stream_is_found(representation):
    values = equal_values()
    values[representation]["windows"][0, 0, 0, 0] += 1
    failing = run(values).first_mismatch
    assert (failing.name, failing.representation, failing.against) == ("windows", "csim", "integer")


def test_missing_tensor_is_a_mismatch():
    values = equal_values()
    del values["csim"]["acc"]
    failing = run(values).first_mismatch
    assert failing.mismatches == failing.elements == 72
    assert describe(failing, NAMES) == (
        "layer 'stem.conv' (tensor 'acc'), csim against torch: csim has no such tensor"
    )


def test_missing_reference_is_a_mismatch():
    values = equal_values()
    del values["torch"]["acc"]
    assert [c.reason for c in run(values).checks if c.name == "acc"] == [
        "torch has no such tensor"
    ] * 3


def test_other_shape_is_a_mismatch():
    values = equal_values()
    values["qonnx"]["acc"] = values["qonnx"]["acc"].reshape(2, 4, 3, 3)
    assert describe(run(values).first_mismatch, NAMES) == (
        "layer 'stem.conv' (tensor 'acc'), qonnx against torch: shape (2, 4, 3, 3), "
        "expected (2, 3, 3, 4) (sample, row, column, channel)"
    )


def test_cycles_are_compared_beat_by_beat():
    cycles = {
        "cyclesim": {"input": np.arange(12).reshape(2, 6), "acc": np.arange(8).reshape(2, 4)},
        "rtlsim-cycles": {"input": np.arange(12).reshape(2, 6), "acc": np.arange(8).reshape(2, 4)},
    }
    cycles["rtlsim-cycles"]["acc"][1, 2:] += 5
    found = verify(TENSORS, equal_values(), cycles, data="digits", samples=NAMES)
    assert found.representations == ("torch", "qonnx", "integer", "csim", "cyclesim")
    (failing,) = [check for check in found.checks if check.mismatches]
    assert (failing.elements, failing.mismatches) == (8, 2)
    assert describe(failing, NAMES) == (
        "layer 'stem.conv' (tensor 'acc'), rtlsim-cycles against cyclesim: sample 1 (all 255), "
        "beat 2 moves in cycle 11, expected 6 (2 of 8 beats differ)"
    )


def test_nothing_compared_is_not_exact():
    assert not verify((), equal_values(), data="digits", samples=NAMES).exact
    assert not run({"torch": equal_values()["torch"]}).exact


def test_merge_counts_samples_across_batches():
    wrong = equal_values()
    wrong["csim"]["acc"][0, 1, 1, 1] = 12345
    merged = merge([run(equal_values()), replace(run(wrong), samples=("x", "y")), run(wrong)])
    assert merged.samples == (*NAMES, "x", "y", *NAMES)
    failing = merged.first_mismatch
    assert (failing.elements, failing.mismatches) == (3 * 72, 2)
    assert failing.first.index == (2, 1, 1, 1) and failing.first.value == 12345
    assert "sample 2 (x)" in describe(failing, merged.samples)


def test_plain_values():
    wrong = equal_values()
    wrong["csim"]["windows"][0, 0, 0, 1] = 7
    plain = run(wrong).as_dict()
    assert (plain["exact"], plain["samples"], plain["data"]) == (False, 2, "digits")
    row = plain["layers"][0]
    assert row["name"] == "windows" and row["module"] == "stem.conv"
    assert row["representation"] == "csim" and row["elements"] == 162 and row["mismatches"] == 1
    assert row["first"]["index"] == [0, 0, 0, 1] and row["first"]["value"] == 7
    assert set(plain["layers"][1]) == {
        "name",
        "module",
        "representation",
        "against",
        "elements",
        "mismatches",
    }
