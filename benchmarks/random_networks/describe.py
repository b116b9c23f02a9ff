"""What a random network is: a typed description that JSON holds, and the shapes it implies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

Size = tuple[int, int]
IMAGE = "image"
"""The name of the network's input among the tensors."""
IMAGE_BITS = 8


class Norm(StrEnum):
    """What the batch norm behind a convolution is like; all but PLAIN in some channels only."""

    NONE = "none"
    PLAIN = "plain"
    ZERO = "zero gamma"
    NEGATIVE = "negative gamma"
    TINY_VARIANCE = "tiny variance"
    HUGE_VARIANCE = "huge variance"
    SHIFTED = "large shift"


class Weights(StrEnum):
    """How weights are drawn. DEAD: some filters are zero. SAME: all of one sign and size."""

    NORMAL = "normal"
    DEAD = "dead filters"
    SAME = "equal"
    LARGE = "large"
    SMALL = "small"


@dataclass(frozen=True)
class Convolution:
    """A `PatternConv2d` where ``pattern``, else a `QuantConv2d`; norm behind it."""

    source: str
    channels: int
    kernel: Size
    stride: int = 1
    padding: Size = (0, 0)
    groups: int = 1
    pattern: bool = False
    bias: bool = False
    norm: Norm = Norm.PLAIN
    weights: Weights = Weights.NORMAL
    scale_bits: int = 4
    seed: int = 0


@dataclass(frozen=True)
class Linear:
    """A `QuantLinear` behind a global pool."""

    source: str
    channels: int
    bias: bool = True
    weights: Weights = Weights.NORMAL
    seed: int = 0


@dataclass(frozen=True)
class Skip:
    """The tensor itself."""

    source: str


@dataclass(frozen=True)
class AveragePool:
    """An `AveragePool2d`."""

    source: str
    kernel: int
    stride: int
    padding: int = 0


@dataclass(frozen=True)
class GlobalPool:
    """A `GlobalPool2d`."""

    source: str


Branch = Convolution | Linear | Skip | AveragePool | GlobalPool


@dataclass(frozen=True)
class Join:
    """The sum of branches, then a `QuantReLU` of ``bits``."""

    name: str
    branches: tuple[Branch, ...]
    bits: int = 8


@dataclass(frozen=True)
class MaxPool:
    """torch's `MaxPool2d`."""

    name: str
    source: str
    kernel: Size
    stride: int
    padding: Size = (0, 0)
    ceil_mode: bool = False


@dataclass(frozen=True)
class Concat:
    """A `Concat` of channels."""

    name: str
    sources: tuple[str, ...]


Part = Join | MaxPool | Concat


@dataclass(frozen=True)
class Network:
    """Parts in order; the output is the sum of the branches ``output``.

    An output that is one `Skip` is the quantized tensor itself. ``seed``: of the images.
    """

    height: int
    width: int
    channels: int
    parts: tuple[Part, ...]
    output: tuple[Branch, ...]
    seed: int = 0


@dataclass(frozen=True)
class Hardware:
    """How a network is folded.

    ``frame_cycles``: the budget of what is not named. ``seed``: of foldings that are drawn for
    about half of the nodes; None: none are drawn. ``nodes``, ``fifos``: further ones, as in a
    folding file. ``fifo_seed``: of FIFO depths that are drawn; None: as they are found.
    ``weight_bandwidth``: bits per cycle for all streamed weights together; None: as many as they
    take.
    """

    frame_cycles: int = 32768
    seed: int | None = None
    nodes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fifo_seed: int | None = None
    fifos: Mapping[str, int] = field(default_factory=dict)
    weight_bandwidth: int | None = None


@dataclass(frozen=True)
class Case:
    """A network and its hardware: all that a check needs."""

    network: Network
    hardware: Hardware


@dataclass(frozen=True)
class Shape:
    """Of a tensor: ``rank`` 4 for a map, 2 behind a global pool; ``bits`` 0 where not quantized."""

    rank: int
    channels: int
    height: int
    width: int
    bits: int

    @property
    def size(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return (self.channels, self.height, self.width)


class IllegalNetworkError(ValueError):
    """A description that is no network."""


def windows(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool = False) -> int:
    """Windows along one side, as torch counts them; 0 or less where there is none."""
    room = size + 2 * padding - kernel
    if room < 0:
        return 0
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count


def sources(part: Part | Branch) -> tuple[str, ...]:
    """The tensors that a part reads."""
    if isinstance(part, Join):
        return tuple(branch.source for branch in part.branches)
    return part.sources if isinstance(part, Concat) else (part.source,)


def branch_shape(branch: Branch, shapes: Mapping[str, Shape]) -> Shape:
    """Shape of a branch; raises IllegalNetworkError."""
    source = shapes.get(branch.source)
    if source is None:
        raise IllegalNetworkError(f"'{branch.source}' is not made before it is read")
    if isinstance(branch, Skip):
        return source
    if isinstance(branch, Linear):
        if source.rank != 2:
            raise IllegalNetworkError("a linear layer needs a global pool before it")
        return Shape(2, branch.channels, 1, 1, 0)
    if source.rank != 4:
        raise IllegalNetworkError("only a linear layer reads what is behind a global pool")
    if isinstance(branch, GlobalPool):
        return Shape(2, source.channels, 1, 1, 0)
    if isinstance(branch, AveragePool):
        kernel, padding = (branch.kernel,) * 2, (branch.padding,) * 2
        channels = source.channels
    else:
        kernel, padding, channels = branch.kernel, branch.padding, branch.channels
        if source.channels % branch.groups or channels % branch.groups:
            raise IllegalNetworkError("groups do not divide the channels")
        if branch.pattern and kernel == (1, 1):
            raise IllegalNetworkError("a pattern of 1×1")
    if any(p >= k for p, k in zip(padding, kernel, strict=True)):
        raise IllegalNetworkError("a padding as wide as the kernel")
    sides = [
        windows(size, k, branch.stride, p)
        for size, k, p in zip((source.height, source.width), kernel, padding, strict=True)
    ]
    if min(sides) < 1:
        raise IllegalNetworkError("a kernel larger than the map")
    return Shape(4, channels, sides[0], sides[1], 0)


def sum_shape(branches: tuple[Branch, ...], shapes: Mapping[str, Shape]) -> Shape:
    """Shape of a sum; raises IllegalNetworkError."""
    if not branches:
        raise IllegalNetworkError("a sum of nothing")
    found = [branch_shape(branch, shapes) for branch in branches]
    if len({(shape.rank, shape.size) for shape in found}) != 1:
        raise IllegalNetworkError("a sum of different shapes")
    return replace(found[0], bits=found[0].bits if len(found) == 1 else 0)


def shapes_of(network: Network) -> dict[str, Shape]:
    """Shape of every tensor by name; raises IllegalNetworkError where there is no such network."""
    shapes = {IMAGE: Shape(4, network.channels, network.height, network.width, IMAGE_BITS)}
    for part in network.parts:
        if part.name in shapes:
            raise IllegalNetworkError(f"'{part.name}' is made twice")
        shapes[part.name] = _part_shape(part, shapes)
    sum_shape(network.output, shapes)
    return shapes


def _part_shape(part: Part, shapes: Mapping[str, Shape]) -> Shape:
    if isinstance(part, Join):
        return replace(sum_shape(part.branches, shapes), bits=part.bits)
    found = [shapes.get(name) for name in sources(part)]
    if any(shape is None or shape.rank != 4 for shape in found) or not found:
        raise IllegalNetworkError(f"'{part.name}' reads what is no map")
    maps = [shape for shape in found if shape is not None]
    first = maps[0]
    if isinstance(part, Concat):
        if len({(shape.height, shape.width, shape.bits) for shape in maps}) != 1:
            raise IllegalNetworkError("a concatenation of different sizes or bits")
        return replace(first, channels=sum(shape.channels for shape in maps))
    if any(2 * p > k for p, k in zip(part.padding, part.kernel, strict=True)):
        raise IllegalNetworkError("a max-pool padded by more than half of its kernel")
    sides = [
        windows(size, k, part.stride, p, part.ceil_mode)
        for size, k, p in zip((first.height, first.width), part.kernel, part.padding, strict=True)
    ]
    if min(sides) < 1:
        raise IllegalNetworkError("a max-pool larger than the map")
    return replace(first, height=sides[0], width=sides[1])


def without_unread(network: Network) -> Network:
    """The same network without the parts that its output does not depend on."""
    read = {branch.source for branch in network.output}
    kept: list[Part] = []
    for part in reversed(network.parts):
        if part.name in read:
            kept.append(part)
            read.update(sources(part))
    return replace(network, parts=tuple(reversed(kept)))


def convolutions(network: Network) -> Iterator[Convolution]:
    """Every convolution."""
    for branches in (*(p.branches for p in network.parts if isinstance(p, Join)), network.output):
        for branch in branches:
            if isinstance(branch, Convolution):
                yield branch


_KINDS: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (Convolution, Linear, Skip, AveragePool, GlobalPool, Join, MaxPool, Concat)
}


def to_json(case: Case) -> str:
    """One line."""
    return json.dumps(_encode(case), separators=(",", ":"))


def from_json(text: str) -> Case:
    """What `to_json` wrote; raises ValueError, KeyError or TypeError for anything else."""
    content = json.loads(text)
    network = dict(content["network"])
    parts = tuple(_decode(part) for part in network.pop("parts"))
    output = tuple(_decode(branch) for branch in network.pop("output"))
    return Case(Network(**network, parts=parts, output=output), Hardware(**content["hardware"]))


def _encode(value: Any) -> Any:
    if type(value).__name__ in _KINDS:
        entries = {f.name: _encode(getattr(value, f.name)) for f in fields(value)}
        return {"kind": type(value).__name__, **entries}
    if isinstance(value, Case | Network):
        return {f.name: _encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Hardware):
        return asdict(value)
    return [_encode(entry) for entry in value] if isinstance(value, tuple) else value


def _decode(entry: Mapping[str, Any]) -> Any:
    values = {key: value for key, value in entry.items() if key != "kind"}
    for key in ("kernel", "padding", "sources"):
        if isinstance(values.get(key), list):
            values[key] = tuple(values[key])
    if "branches" in values:
        values["branches"] = tuple(_decode(branch) for branch in values["branches"])
    if "norm" in values:
        values["norm"] = Norm(values["norm"])
    if "weights" in values:
        values["weights"] = Weights(values["weights"])
    return _KINDS[entry["kind"]](**values)
