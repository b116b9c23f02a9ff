"""How large a case is: what shrinking makes smaller, so that it ends."""

from __future__ import annotations

from benchmarks.random_networks.describe import (
    AveragePool,
    Branch,
    Case,
    Convolution,
    GlobalPool,
    Join,
    Linear,
    MaxPool,
    Norm,
    Part,
    Skip,
    Weights,
    sources,
)

Size = tuple[int, int, int, int]


def size(case: Case) -> Size:
    """(parts, inputs of parts and output, entries of the folding, everything else)."""
    network, hardware = case.network, case.hardware
    inputs = sum(len(sources(part)) for part in network.parts) + len(network.output)
    entries = len(hardware.nodes) + len(hardware.fifos)
    rest = network.height + network.width + network.channels
    rest += sum(map(_part, network.parts)) + sum(map(_branch, network.output))
    rest += (hardware.frame_cycles != 32768) + (hardware.weight_bandwidth is not None)
    return len(network.parts), inputs, entries, rest


def _part(part: Part) -> int:
    if isinstance(part, Join):
        return sum(map(_branch, part.branches)) + (part.bits != 8)
    if isinstance(part, MaxPool):
        return part.stride + sum(part.padding) + sum(part.kernel) + part.ceil_mode
    return 0


def _branch(branch: Branch) -> int:
    if isinstance(branch, Skip):
        return 0
    if isinstance(branch, GlobalPool):
        return 1
    if isinstance(branch, AveragePool):
        return 2 + branch.padding
    drawn = int(branch.weights is not Weights.NORMAL) + branch.bias + branch.channels
    if isinstance(branch, Linear):
        return 2 + drawn
    return 2 + drawn + _convolution(branch)


def _convolution(branch: Convolution) -> int:
    norms = {Norm.NONE: 0, Norm.PLAIN: 1}
    return (
        branch.kernel[0] * branch.kernel[1]
        + sum(branch.padding)
        + branch.groups
        + branch.stride
        + branch.pattern
        + norms.get(branch.norm, 2)
        + (branch.scale_bits != 4)
    )
