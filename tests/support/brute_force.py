"""Independent references of the operators: plain loops over Python integers, one frame each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sephw.ops import (
    AveragePool,
    Concat,
    Conv8,
    Fork,
    GlobalPool,
    Join,
    MaxPool,
    PatternConv,
    SlidingWindow,
    StreamedConv,
    Thresholds,
    TileBuffer,
    WidthConverter,
)


def sliding_window(op: SlidingWindow, x: Any) -> list[Any]:
    """Every window element by its coordinates."""
    beats = []
    per_group = op.channels // op.groups
    for oy in range(op.output_height):
        for ox in range(op.output_width):
            for group in range(op.groups):
                for ky in range(op.kernel_height):
                    for kx in range(op.kernel_width):
                        y = oy * op.stride - op.padding_top + ky
                        column = ox * op.stride - op.padding_left + kx
                        inside = 0 <= y < op.height and 0 <= column < op.width
                        for c in range(per_group):
                            value = x[y][column][group * per_group + c] if inside else 0
                            beats.append(value)
    return [beats]


def convolution(op: PatternConv | Conv8, x: Any) -> list[Any]:
    """One multiply-accumulate at a time."""
    weights = op.matrix.tolist()
    columns = len(weights[0])
    per_group = op.out_channels // op.groups
    result = []
    for row in x:
        for pixel in row:
            for channel in range(op.out_channels):
                first = (channel // per_group) * columns
                result.append(
                    sum(w * q for w, q in zip(weights[channel], pixel[first:], strict=False))
                )
    return [result]


def streamed_conv(op: StreamedConv, x: Any, words: Any) -> list[Any]:
    """One multiply-accumulate at a time, each weight at its place among the streamed words."""
    columns = op.kernel_height * op.kernel_width * op.in_channels // op.groups
    per_group = op.out_channels // op.groups
    synapse_folds, neuron_folds = columns // op.simd, per_group // op.pe
    result = []
    for row, row_words in zip(x, words, strict=True):
        for pixel, sent in zip(row, row_words, strict=True):
            for channel in range(op.out_channels):
                group, neuron = divmod(channel, per_group)
                total = 0
                for column in range(columns):
                    word = (group * neuron_folds + neuron // op.pe) * synapse_folds
                    word += column // op.simd
                    lane = neuron % op.pe * op.simd + column % op.simd
                    weight = sent[word * op.pe * op.simd + lane]
                    if op.bits_per_weight == 1:
                        weight = -1 if weight else 1
                    total += weight * pixel[group * columns + column]
                result.append(total)
    return [result]


def join(op: Join, *branches: Any) -> list[Any]:
    """Exact Python integers; // is floor."""
    result = []
    for y in range(op.height):
        for x in range(op.width):
            for c in range(op.channels):
                total = int(op.bias[c])
                for j, branch in enumerate(branches):
                    total += int(op.mantissas[j][c]) * branch[y][x][c] * 2 ** int(op.shifts[j][c])
                value = total // 2**op.shift
                result.append(max(op.output_dtype.min, min(op.output_dtype.max, value)))
    return [result]


def thresholds(op: Thresholds, x: Any) -> list[Any]:
    """One comparison at a time."""
    rows, falls = op.thresholds.tolist(), op.decreasing.tolist()
    result = []
    for row in x:
        for pixel in row:
            for value, levels, down in zip(pixel, rows, falls, strict=True):
                result.append(op.offset + sum(value <= t if down else value >= t for t in levels))
    return [result]


def max_pool(op: MaxPool, x: Any) -> list[Any]:
    """The largest tap of every channel."""
    per_group = op.channels // op.groups
    taps = op.kernel_height * op.kernel_width
    result = []
    for row in x:
        for pixel in row:
            for channel in range(op.channels):
                group, c = divmod(channel, per_group)
                first = group * taps * per_group + c
                result.append(max(pixel[first + tap * per_group] for tap in range(taps)))
    return [result]


def average_pool(op: AveragePool, x: Any) -> list[Any]:
    """The sum of the taps of every channel."""
    per_group = op.channels // op.groups
    result = []
    for row in x:
        for pixel in row:
            for channel in range(op.channels):
                total = 0
                for ky in range(op.kernel_height):
                    for kx in range(op.kernel_width):
                        tap = ky * op.kernel_width + kx
                        group = channel // per_group
                        first = (group * op.kernel_height * op.kernel_width + tap) * per_group
                        total += pixel[first + channel % per_group]
                result.append(total)
    return [result]


def concat(op: Concat, *inputs: Any) -> list[Any]:
    """Pixel by pixel, one input after the other."""
    result = []
    for y in range(op.height):
        for x in range(op.width):
            for values in inputs:
                result += values[y][x]
    return [result]


def global_pool(op: GlobalPool, x: Any) -> list[Any]:
    """Sums over pixels."""
    return [[sum(pixel[c] for row in x for pixel in row) for c in range(op.channels)]]


def fork(op: Fork, x: Any) -> list[Any]:
    """Copies."""
    return [x] * op.copies


def width_converter(op: WidthConverter, x: Any) -> list[Any]:
    """Nothing changes but the beats."""
    return [x]


def tile_buffer(op: TileBuffer, x: Any) -> list[Any]:
    """Every beat by its place: block, repeat, column, row."""
    values = [value for row in x for pixel in row for value in pixel]
    run = op.run * op.lanes
    size = op.rows * op.columns * run
    result = []
    for block in range(0, len(values), size):
        for column in range(op.columns):
            for _ in range(op.repeats):
                for row in range(op.rows):
                    first = block + (row * op.columns + column) * run
                    result += values[first : first + run]
    return [result]


BRUTE_FORCE: dict[type, Callable[..., list[Any]]] = {
    SlidingWindow: sliding_window,
    PatternConv: convolution,
    Conv8: convolution,
    StreamedConv: streamed_conv,
    Join: join,
    Thresholds: thresholds,
    MaxPool: max_pool,
    AveragePool: average_pool,
    Concat: concat,
    GlobalPool: global_pool,
    Fork: fork,
    TileBuffer: tile_buffer,
    WidthConverter: width_converter,
}


def run(operator: Any, inputs: tuple[Any, ...]) -> list[Any]:
    """Outputs int64 (N, h, w, c) of ``operator`` by brute force, frame by frame."""
    frames = [
        BRUTE_FORCE[type(operator)](operator, *(x[n].tolist() for x in inputs))
        for n in range(len(inputs[0]))
    ]
    return [
        np.array([frame[i] for frame in frames], np.int64).reshape(len(frames), *shape)
        for i, shape in enumerate(operator.output_shapes)
    ]
