"""Layers for `benchmarks.characterize`: generated, seeded, each with a folding and FIFO depths.

Layer ``index`` is a function of its number alone, kinds take turns, and sizes are random, so that
any first part of the sequence is a fair sample. Kinds that came later have a sequence of their own
from ``LATER`` on: numbers keep their layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from sephw.ir import Folding, IntType, Operator
from sephw.ir.folding import decode_folding, encode_folding
from sephw.ops import (
    AveragePool,
    BitParallel,
    Concat,
    Conv8,
    DigitSerial,
    Fork,
    GlobalPool,
    Join,
    MaxPool,
    PatternConv,
    SlidingWindow,
    WidthConverter,
)
from sephw.ops.families import VARIANTS

# A point is what JSON holds: integers, strings, lists of them.
Point = Mapping[str, Any]
Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Layer:
    """An engine to characterize; ``point`` is enough to build it again."""

    point: Point
    operator: Operator
    folding: Folding
    fifo_depths: tuple[int, ...]


LATER = 100_000
"""Number of the first layer of the later kinds."""


def layer(index: int) -> Layer:
    """Layer number ``index``."""
    rng = np.random.default_rng((1706, index))
    turns = _TURNS if index < LATER else _LATER_TURNS
    return build(turns[index % len(turns)](rng) | {"seed": index})


def build(point: Point) -> Layer:
    """The layer of a point."""
    operator = _OPERATORS[point["kind"]](point)
    options = {option.name for variant in VARIANTS for option in fields(variant)}
    keys = {"pe", "simd", "family", *options}
    folding = decode_folding({k: v for k, v in point.items() if k in keys}, VARIANTS)
    return Layer(point, operator, folding, tuple(point["fifo_depths"]))


# ---- Operators from points ----


def _type(text: str) -> IntType:
    return IntType(int(text.strip("uint")), signed=not text.startswith("u"))


def _patterns(point: Point) -> Operator:
    shape, fields = _convolution(point)
    signs = np.random.default_rng(point["seed"]).integers(0, 2, shape)
    return PatternConv(**fields, patterns=2 * signs - 1)


def _weights(point: Point) -> Operator:
    shape, fields = _convolution(point)
    drawn = np.random.default_rng(point["seed"]).normal(0, point["deviation"], shape)
    return Conv8(**fields, weights=np.clip(np.rint(drawn), -127, 127).astype(np.int64))


def _convolution(point: Point) -> tuple[tuple[int, int], dict[str, Any]]:
    taps = point["kernel"] ** 2
    shape = (point["outputs"], taps * point["inputs"] // point["groups"])
    fields = {
        "height": 8,
        "width": 8,
        "in_channels": point["inputs"],
        "out_channels": point["outputs"],
        "kernel_height": point["kernel"],
        "kernel_width": point["kernel"],
        "groups": point["groups"],
        "input_dtype": _type(point["type"]),
    }
    return shape, fields


def _window(point: Point) -> Operator:
    kernel, stride, padding = point["kernel"], point["stride"], point["padding"]
    size = (point["size"] + 2 * padding - kernel) // stride + 1
    return SlidingWindow(
        height=point["size"],
        width=point["size"],
        channels=point["inputs"],
        dtype=_type(point["type"]),
        kernel_height=kernel,
        kernel_width=kernel,
        stride=stride,
        padding_top=padding,
        padding_left=padding,
        output_height=size,
        output_width=size,
        groups=point["groups"],
    )


def _join(point: Point) -> Operator:
    rng = np.random.default_rng(point["seed"])
    types = tuple(map(_type, point["types"]))
    channels, limit = point["inputs"], (1 << point["mantissa_bits"]) - 1
    mantissas = rng.integers(-limit, limit + 1, (len(types), channels))
    shifts = rng.integers(0, point["most_shift"] + 1, (len(types), channels))
    if point["skip"]:
        # An identity branch: one factor for all channels.
        mantissas[-1], shifts[-1] = 1, point["most_shift"]
    bias = rng.integers(-(1 << point["bias_bits"]), 1 << point["bias_bits"], channels)
    return Join(
        height=4,
        width=4,
        channels=channels,
        input_dtypes=types,
        mantissas=mantissas,
        shifts=shifts,
        bias=bias,
        shift=point["shift"],
        output_dtype=_type(point["output"]),
    )


def _max_pool(point: Point) -> Operator:
    return MaxPool(
        height=4,
        width=4,
        channels=point["inputs"],
        dtype=_type(point["type"]),
        kernel_height=point["kernel"],
        kernel_width=point["kernel"],
        groups=point["groups"],
    )


def _average_pool(point: Point) -> Operator:
    return AveragePool(
        height=4,
        width=4,
        channels=point["inputs"],
        dtype=_type(point["type"]),
        kernel_height=point["kernel"],
        kernel_width=point["kernel"],
        groups=point["groups"],
    )


def _concat(point: Point) -> Operator:
    return Concat(height=4, width=4, channels=tuple(point["channels"]), dtype=_type(point["type"]))


def _global_pool(point: Point) -> Operator:
    return GlobalPool(
        height=point["size"],
        width=point["size"],
        channels=point["inputs"],
        dtype=_type(point["type"]),
    )


def _fork(point: Point) -> Operator:
    return Fork(
        height=4,
        width=4,
        channels=point["inputs"],
        dtype=_type(point["type"]),
        copies=point["copies"],
    )


def _converter(point: Point) -> Operator:
    return WidthConverter(
        height=4,
        width=4,
        channels=max(point["pe"], point["simd"]),
        dtype=_type(point["type"]),
        lanes_in=point["simd"],
        lanes_out=point["pe"],
    )


_OPERATORS: Mapping[str, Callable[[Point], Operator]] = {
    "pattern_conv": _patterns,
    "conv8": _weights,
    "sliding_window": _window,
    "join": _join,
    "max_pool": _max_pool,
    "global_pool": _global_pool,
    "average_pool": _average_pool,
    "concat": _concat,
    "fork": _fork,
    "width_converter": _converter,
}


# ---- Random points ----


def _pick(rng: Rng, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def _activation(rng: Rng) -> str:
    """Mostly 8 bits, as shipped networks have."""
    return _pick(rng, ("uint8",) * 6 + ("uint4", "uint2", "uint6", "int8"))


def _depth(rng: Rng, bits: int) -> int:
    """Mostly shallow; deep ones where a beat is narrow."""
    depth = int(_pick(rng, (1, 1, 2, 3, 4, 5, 7, 8, 10, 12, 16, 17, 24, 32, 40, 64, 100, 200, 500)))
    return depth if depth * bits <= 40_000 else 8


def _folded(rng: Rng, operator: Operator, most_bits: int) -> Folding:
    """A folding whose lanes move at most ``most_bits``, larger ones more often."""
    legal = []
    for folding in operator.legal_foldings():
        streams = (*operator.input_streams(folding), *operator.output_streams(folding))
        product = folding.pe * folding.simd if operator.kind in ("pattern_conv", "conv8") else 1
        if max(s.width_bits for s in streams) <= most_bits and product * 8 <= most_bits:
            legal.append(folding)
    return legal[int(len(legal) * rng.random() ** 0.8)]


def _lanes(rng: Rng, point: dict[str, Any], most_bits: int) -> dict[str, Any]:
    """``point`` with a folding of the usual family and FIFO depths."""
    bare = point | {"seed": 0, "pe": 1, "simd": 1, "fifo_depths": [2]}
    operator = build(bare).operator
    folding = _folded(rng, operator, most_bits)
    return _with(rng, point, operator, folding)


def _with(rng: Rng, point: dict[str, Any], operator: Operator, folding: Folding) -> dict[str, Any]:
    depths = [_depth(rng, s.width_bits) for s in operator.output_streams(folding)]
    lanes = {"pe": folding.pe, "simd": folding.simd, "fifo_depths": depths}
    return point | lanes | encode_folding(folding)


def _pattern_sizes(rng: Rng, most_weights: int, most_window: int = 9999) -> dict[str, Any]:
    while True:
        groups = int(_pick(rng, (1, 1, 2, 4, 4, 8)))
        kernel = int(_pick(rng, (3, 3, 3, 3, 2, 5)))
        inputs, outputs = (groups * int(_pick(rng, (1, 2, 3, 4, 6, 8, 12, 16))) for _ in range(2))
        window = kernel**2 * inputs
        if window <= most_window and 32 <= outputs * window // groups <= most_weights:
            return {
                "kind": "pattern_conv",
                "kernel": kernel,
                "inputs": inputs,
                "outputs": outputs,
                "groups": groups,
                "type": _activation(rng),
            }


def _conv8_sizes(rng: Rng, most_weights: int) -> dict[str, Any]:
    while True:
        kernel = int(_pick(rng, (1, 1, 1, 1, 3)))
        inputs = int(_pick(rng, (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)))
        outputs = int(_pick(rng, (2, 4, 6, 8, 10, 12, 16, 24, 32, 64)))
        if 16 <= outputs * kernel**2 * inputs <= most_weights:
            return {
                "kind": "conv8",
                "kernel": kernel,
                "inputs": inputs,
                "outputs": outputs,
                "groups": 1,
                "type": _activation(rng),
                "deviation": int(_pick(rng, (15, 25, 40))),
            }


def _pattern_select(rng: Rng) -> dict[str, Any]:
    point = _lanes(rng, _pattern_sizes(rng, 20_000), 320)
    levels = int(_pick(rng, (1, 2)))
    return point | ({"adder_levels": levels} if levels > 1 else {})


def _conv8_dsp(rng: Rng) -> dict[str, Any]:
    return _lanes(rng, _conv8_sizes(rng, 8_000), 192)


def _conv8_lut(rng: Rng) -> dict[str, Any]:
    return _lanes(rng, _conv8_sizes(rng, 8_000), 96) | {"multipliers": "lut"}


def _whole(rng: Rng, point: dict[str, Any], serial: bool) -> dict[str, Any]:
    operator = build(point | {"seed": 0, "pe": 1, "simd": 1, "fifo_depths": [2]}).operator
    wanted = DigitSerial if serial else BitParallel
    further = [f for f in operator.further_foldings() if isinstance(f.engine, wanted)]
    made = _with(rng, point, operator, _pick(rng, further))
    # Deep FIFOs of such wide beats are rare, and would hide the adders.
    return made | {"fifo_depths": [int(_pick(rng, (1, 4, 8, 12, 16, 20)))]}


def _pattern_graph(rng: Rng) -> dict[str, Any]:
    return _whole(rng, _pattern_sizes(rng, 1_200, 160), serial=False)


def _pattern_serial(rng: Rng) -> dict[str, Any]:
    return _whole(rng, _pattern_sizes(rng, 2_400, 300), serial=True)


def _conv8_graph(rng: Rng) -> dict[str, Any]:
    return _whole(rng, _conv8_sizes(rng, 160), serial=False)


def _conv8_serial(rng: Rng) -> dict[str, Any]:
    return _whole(rng, _conv8_sizes(rng, 300), serial=True)


def _window_sizes(rng: Rng) -> dict[str, Any]:
    kernel = int(_pick(rng, (3, 3, 3, 3, 2, 5)))
    groups = int(_pick(rng, (1, 1, 2, 4)))
    return {
        "kind": "sliding_window",
        "kernel": kernel,
        "stride": int(_pick(rng, (1, 1, 2))),
        "padding": int(_pick(rng, (kernel // 2, kernel // 2, 0))),
        "size": int(_pick(rng, (6, 7, 8, 12, 14, 16, 20, 28, 32, 48))),
        "inputs": groups * int(_pick(rng, (1, 2, 3, 4, 8, 16))),
        "groups": groups,
        "type": _activation(rng),
    }


def _window_stream(rng: Rng) -> dict[str, Any]:
    return _lanes(rng, _window_sizes(rng), 256)


def _window_parallel(rng: Rng) -> dict[str, Any]:
    while True:
        point = _window_sizes(rng)
        operator = build(point | {"seed": 0, "pe": 1, "simd": 1, "fifo_depths": [2]}).operator
        for folding in operator.further_foldings():
            if operator.output_streams(folding)[0].width_bits <= 1200:
                made = _with(rng, point, operator, folding)
                return made | {"fifo_depths": [int(_pick(rng, (2, 3, 4, 8, 12)))]}


def _join_dsp(rng: Rng) -> dict[str, Any]:
    branches = int(_pick(rng, (1, 1, 2, 2, 2, 3)))
    types = [f"int{int(rng.integers(10, 21))}" for _ in range(branches)]
    skip = bool(branches > 1 and rng.random() < 0.5)
    if skip:
        types[-1] = "uint8"
    shift = int(rng.integers(5, 12))
    point = {
        "kind": "join",
        "inputs": int(_pick(rng, (4, 8, 10, 16, 24, 32, 64))),
        "types": types,
        "mantissa_bits": int(_pick(rng, (4, 4, 4, 3, 1))),
        "most_shift": int(_pick(rng, (0, 2, 4, 6))),
        "bias_bits": int(rng.integers(8, 16)),
        "skip": int(skip),
        "shift": shift,
        "output": "uint8",
    }
    if rng.random() < 0.1:
        # Logits.
        bare = point | {"seed": 0, "pe": 1, "simd": 1, "fifo_depths": [2], "shift": 0}
        bits = build(bare).operator.acc_type.bits  # type: ignore[attr-defined]
        point |= {"shift": 0, "output": f"int{bits}"}
    return _lanes(rng, point, 128)


def _join_lut(rng: Rng) -> dict[str, Any]:
    return _join_dsp(rng) | {"multipliers": "lut"}


def _max_pool_point(rng: Rng) -> dict[str, Any]:
    groups = int(_pick(rng, (1, 1, 2, 4)))
    return _lanes(
        rng,
        {
            "kind": "max_pool",
            "kernel": int(_pick(rng, (2, 2, 3))),
            "groups": groups,
            "inputs": groups * int(_pick(rng, (1, 2, 4, 8, 16, 32))),
            "type": _activation(rng),
        },
        400,
    )


def _average_pool_point(rng: Rng) -> dict[str, Any]:
    return _max_pool_point(rng) | {"kind": "average_pool"}


def _concat_point(rng: Rng) -> dict[str, Any]:
    unit = int(_pick(rng, (1, 2, 4, 8, 16, 32)))
    counts = [unit * int(_pick(rng, (1, 1, 2, 3, 4))) for _ in range(_pick(rng, (2, 3, 4, 4, 6)))]
    return _lanes(
        rng,
        {
            "kind": "concat",
            "channels": counts,
            "type": _activation(rng),
        },
        300,
    )


def _global_pool_point(rng: Rng) -> dict[str, Any]:
    return _lanes(
        rng,
        {
            "kind": "global_pool",
            "size": int(_pick(rng, (3, 4, 7, 8, 10, 14))),
            "inputs": int(_pick(rng, (4, 8, 12, 16, 32, 64))),
            "type": _activation(rng),
        },
        400,
    )


def _fork_point(rng: Rng) -> dict[str, Any]:
    return _lanes(
        rng,
        {
            "kind": "fork",
            "copies": int(_pick(rng, (2, 2, 3, 4))),
            "inputs": int(_pick(rng, (1, 2, 4, 8, 16, 32))),
            "type": _activation(rng),
        },
        300,
    )


def _converter_point(rng: Rng) -> dict[str, Any]:
    lanes = int(_pick(rng, (1, 1, 2, 3, 4, 8)))
    wide = lanes * int(_pick(rng, (2, 3, 4, 6, 8, 16, 32)))
    ends = (lanes, wide) if rng.random() < 0.5 else (wide, lanes)
    bits = int(_pick(rng, (8, 8, 8, 4, 13, 18)))
    point = {"kind": "width_converter", "type": f"{'u' if bits <= 8 else ''}int{bits}"}
    bare = point | {"seed": 0, "pe": ends[1], "simd": ends[0], "fifo_depths": [2]}
    operator = build(bare).operator
    return _with(rng, point, operator, Folding(ends[1], ends[0]))


# Kinds in turn; what is used most, and what varies most, comes more often.
_TURNS: tuple[Callable[[Rng], dict[str, Any]], ...] = (
    _pattern_select,
    _window_stream,
    _join_dsp,
    _conv8_dsp,
    _fork_point,
    _pattern_serial,
    _converter_point,
    _conv8_lut,
    _window_parallel,
    _pattern_select,
    _global_pool_point,
    _pattern_graph,
    _join_lut,
    _window_stream,
    _conv8_serial,
    _max_pool_point,
    _conv8_graph,
    _join_dsp,
    _conv8_dsp,
    _converter_point,
)
_LATER_TURNS: tuple[Callable[[Rng], dict[str, Any]], ...] = (_concat_point, _average_pool_point)


__all__ = ["LATER", "Layer", "Point", "build", "layer"]
