"""Equality of every layer between representations of one network: `==`, no tolerance.

torch (the deploy network) is the reference of every tensor that a PyTorch layer makes; streams
that exist in hardware only (windows, forks) are compared with the integer reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
# In the order in which they serve as reference: the first one that has the tensor.
REPRESENTATIONS = ("torch", "qonnx", "integer", "csim", "rtlsim", "netlist")
# The cycle in which each beat moves, (sample, beat): the simulator's, the RTL's, the netlist's.
CYCLES = ("cyclesim", "rtlsim-cycles", "netlist-cycles")
SOFTWARE = ("torch", "qonnx")
HARDWARE = ("integer", "csim", "rtlsim", "netlist", *CYCLES)


@dataclass(frozen=True)
class CheckedTensor:
    """A tensor to compare: its name in the graph, and the PyTorch module that makes it.

    `outside` are the representations beside `HARDWARE` that hold it: none of a stream that exists
    in hardware only, torch not of what no module makes.
    """

    tensor: str
    module: str
    outside: tuple[str, ...] = SOFTWARE


@dataclass(frozen=True)
class Difference:
    """The first element that differs.

    `index` is (sample, row, column, channel), of cycles (sample, beat).
    """

    index: tuple[int, ...]
    value: int
    expected: int


@dataclass(frozen=True)
class LayerCheck:
    """The comparison of one tensor between two representations.

    `first` is None where nothing differs and where the tensors cannot be compared element by
    element; then `reason` says why, and every element counts as a mismatch. `partial` counts the
    elements of a frame that have bits that nothing reads; these bits are not compared.
    """

    name: str
    module: str
    representation: str
    against: str
    elements: int
    mismatches: int
    first: Difference | None = None
    reason: str = ""
    partial: int = 0


@dataclass(frozen=True)
class Verification:
    """All comparisons of an export: values in network order, then cycles.

    `samples` names each compared image.
    """

    data: str
    samples: tuple[str, ...]
    representations: tuple[str, ...]
    checks: tuple[LayerCheck, ...]

    @property
    def exact(self) -> bool:
        """True where something was compared and nothing differs."""
        return bool(self.checks) and all(check.mismatches == 0 for check in self.checks)

    @property
    def first_mismatch(self) -> LayerCheck | None:
        """The failing check that comes first; values come before cycles."""
        return next((check for check in self.checks if check.mismatches), None)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for verify.json."""
        return {
            "exact": self.exact,
            "samples": len(self.samples),
            "data": self.data,
            "sample_names": list(self.samples),
            "representations": list(self.representations),
            "layers": [_row(check) for check in self.checks],
        }


def verify(
    tensors: Sequence[CheckedTensor],
    values: Mapping[str, Mapping[str, Integers]],
    cycles: Mapping[str, Mapping[str, Integers]] | None = None,
    *,
    data: str,
    samples: Sequence[str],
    observed: Mapping[str, Mapping[str, Integers]] | None = None,
) -> Verification:
    """Compare `values`, representation -> tensor -> int64 (N, h, w, c), tensor by tensor.

    `values` is ordered as `REPRESENTATIONS` (some may be left out); the first one that should
    hold a tensor is its reference. A representation that lacks a tensor it should hold, or has
    it in another shape, fails with every element. `cycles`, by the names in `CYCLES`, int64
    (N, words), is compared in the same way for every stream that it holds. `observed`:
    representation -> tensor -> int64 (h, w, c), the bits of its elements to compare with the
    reference; all of what is missing.
    """
    checks = _compared(tensors, values, observed or {})
    if cycles:
        modules = {tensor.tensor: tensor.module for tensor in tensors}
        streams = dict.fromkeys(name for held in cycles.values() for name in held)
        timed = [CheckedTensor(name, modules.get(name, ""), ()) for name in streams]
        checks += _compared(timed, cycles, {})
    compared = (*values, *(name for name in cycles or () if name not in CYCLES[1:]))
    return Verification(data, tuple(samples), compared, tuple(checks))


def _compared(
    tensors: Sequence[CheckedTensor],
    values: Mapping[str, Mapping[str, Integers]],
    observed: Mapping[str, Mapping[str, Integers]],
) -> list[LayerCheck]:
    checks: list[LayerCheck] = []
    for tensor in tensors:
        holders = [name for name in values if name in (*tensor.outside, *HARDWARE)]
        if len(holders) < 2:
            continue
        against, others = holders[0], holders[1:]
        reference = values[against].get(tensor.tensor)
        for name in others:
            found = values[name].get(tensor.tensor)
            mask = observed.get(name, {}).get(tensor.tensor)
            checks.append(_check(tensor, name, against, found, reference, mask))
    return checks


def merge(parts: Sequence[Verification]) -> Verification:
    """One verification of several batches of the same comparisons, in order.

    ValueError where the parts do not compare the same things.
    """
    checks: list[LayerCheck] = []
    for row in zip(*(part.checks for part in parts), strict=True):
        offset, first, reason = 0, None, ""
        for part, check in zip(parts, row, strict=True):
            if check.first is not None and first is None:
                sample, *rest = check.first.index
                first = replace(check.first, index=(sample + offset, *rest))
            reason = reason or check.reason
            offset += len(part.samples)
        checks.append(
            replace(
                row[0],
                elements=sum(check.elements for check in row),
                mismatches=sum(check.mismatches for check in row),
                first=first,
                reason=reason,
            )
        )
    samples = tuple(name for part in parts for name in part.samples)
    return replace(parts[0], samples=samples, checks=tuple(checks))


def describe(check: LayerCheck, samples: Sequence[str]) -> str:
    """One line: layer, representation, first differing element and both values."""
    where = f"layer '{check.module or check.name}' (tensor '{check.name}')"
    pair = f"{check.representation} against {check.against}"
    if check.first is None:
        return f"{where}, {pair}: {check.reason}"
    sample, *place = check.first.index
    unit = "elements"
    if check.representation in CYCLES:
        unit = "beats"
        found = f"beat {place[0]} moves in cycle {check.first.value}"
    else:
        row, column, channel = place
        found = f"row {row}, column {column}, channel {channel} is {check.first.value}"
    return (
        f"{where}, {pair}: sample {sample} ({samples[sample]}), {found}, "
        f"expected {check.first.expected} "
        f"({check.mismatches} of {check.elements} {unit} differ)"
    )


def _check(
    tensor: CheckedTensor,
    name: str,
    against: str,
    found: Integers | None,
    reference: Integers | None,
    mask: Integers | None,
) -> LayerCheck:
    def failed(reason: str, elements: int) -> LayerCheck:
        count = max(1, elements)
        return LayerCheck(tensor.tensor, tensor.module, name, against, count, count, None, reason)

    if reference is None:
        return failed(f"{against} has no such tensor", 0 if found is None else found.size)
    if found is None:
        return failed(f"{name} has no such tensor", reference.size)
    if found.shape != reference.shape:
        return failed(
            f"shape {found.shape}, expected {reference.shape} ({_axes(name)})",
            reference.size,
        )
    differs = found != reference if mask is None else ((found ^ reference) & mask) != 0
    count = int(np.count_nonzero(differs))
    first = None
    if count:
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(differs)), differs.shape))
        first = Difference(index, int(found[index]), int(reference[index]))
    return LayerCheck(
        tensor.tensor,
        tensor.module,
        name,
        against,
        int(reference.size),
        count,
        first,
        partial=0 if mask is None else int(np.count_nonzero(mask != -1)),
    )


def _axes(representation: str) -> str:
    return "sample, beat" if representation in CYCLES else "sample, row, column, channel"


def _row(check: LayerCheck) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": check.name,
        "module": check.module,
        "representation": check.representation,
        "against": check.against,
        "elements": check.elements,
        "mismatches": check.mismatches,
    }
    if check.first is not None:
        row["first"] = {
            "index": list(check.first.index),
            "value": check.first.value,
            "expected": check.first.expected,
        }
    if check.reason:
        row["reason"] = check.reason
    if check.partial:
        row["partial"] = check.partial
    return row
