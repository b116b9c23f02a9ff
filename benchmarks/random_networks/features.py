"""What a network has, in words: what a published run can say that it tried."""

from __future__ import annotations

from benchmarks.random_networks.describe import (
    AveragePool,
    Branch,
    Case,
    Concat,
    Convolution,
    GlobalPool,
    Join,
    Linear,
    MaxPool,
    Norm,
    Skip,
    Weights,
    shapes_of,
)


def features(case: Case) -> set[str]:
    """Words for everything in ``case``."""
    network, hardware = case.network, case.hardware
    shapes = shapes_of(network)
    found = {f"output: {_output(network.output, case)}"}
    if network.height != network.width:
        found.add("input: H ≠ W")
    if network.height % 2 or network.width % 2:
        found.add("input: odd size")
    sums = [part.branches for part in network.parts if isinstance(part, Join)]
    for branches in (*sums, network.output):
        if len(branches) > 1:
            found.add(f"sum of {len(branches)} branches")
        for branch in branches:
            found |= _of_branch(branch, shapes[branch.source].channels)
    for part in network.parts:
        if isinstance(part, Join):
            found.add(f"activation: {part.bits} bits")
        elif isinstance(part, Concat):
            found.add(f"concatenation of {len(part.sources)}")
        else:
            found |= _of_pool(part)
    if hardware.fifo_seed is not None:
        found.add("FIFO depths: random")
    if hardware.weight_bandwidth is not None:
        found.add("weights: bandwidth limited")
    return found


def _output(output: tuple[Branch, ...], case: Case) -> str:
    shapes = shapes_of(case.network)
    if all(isinstance(branch, Linear) for branch in output):
        return "linear layer"
    if isinstance(output[0], GlobalPool):
        return "pooled"
    quantized = len(output) == 1 and isinstance(output[0], Skip)
    if shapes[output[0].source].rank == 2:
        return "pooled and quantized"
    return "quantized map" if quantized else "map of sums"


def _of_branch(branch: Branch, inputs: int) -> set[str]:
    if isinstance(branch, Convolution):
        return _of_convolution(branch, inputs)
    if isinstance(branch, AveragePool):
        padded = ", padded" if branch.padding else ""
        return {f"average pool {branch.kernel}×{branch.kernel}{padded}"}
    names = {Skip: "identity branch", GlobalPool: "global pool", Linear: "linear layer"}
    return {names[type(branch)]}


def _of_convolution(branch: Convolution, inputs: int) -> set[str]:
    kind = "pattern" if branch.pattern else "8-bit"
    found = {
        f"{kind} {branch.kernel[0]}×{branch.kernel[1]}",
        f"{kind}, stride {branch.stride}",
        f"batch norm: {branch.norm}",
        f"weights: {branch.weights}",
    }
    if branch.groups > 1:
        found.add(f"{kind}, {'depthwise' if branch.groups == inputs else 'groups'}")
    if branch.pattern:
        found.add(f"scale_bits {branch.scale_bits}")
    if branch.padding[0] != branch.padding[1]:
        found.add(f"{kind}, unequal padding")
    if branch.bias:
        found.add(f"{kind}, bias")
    found -= {f"weights: {Weights.NORMAL}", f"batch norm: {Norm.PLAIN}"}
    return found


def _of_pool(part: MaxPool) -> set[str]:
    found = {f"max-pool {part.kernel[0]}×{part.kernel[1]}, stride {part.stride}"}
    if part.ceil_mode:
        found.add("max-pool, ceil_mode")
    if part.padding != (0, 0):
        found.add("max-pool, padded")
    return found
