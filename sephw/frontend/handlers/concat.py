"""Concat along the channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.call import NodeCall
from sephw.frontend.values import Quantized, Value
from sephw.ops.concat import MAX_INPUTS, Concat


@dataclass(frozen=True)
class ConcatAttributes:
    """The attributes of Concat."""

    axis: int


def concat(call: NodeCall, given: ConcatAttributes) -> Value:
    """Concat of quantized tensors of one scale and type → Concat; beyond 8 inputs several."""
    sources = [call.quantized(index) for index in range(len(call.values))]
    rank = sources[0].rank
    if not -rank <= given.axis < rank or given.axis % rank != 1:
        raise SephwError(
            f"{call.where}: joins axis {given.axis}; only channels are joined, use axis 1"
        )
    _check(call, sources)
    tensor = call.attempt(lambda: _joined(call, sources), lambda: _stand_in(call, sources))
    return Quantized(tensor, sources[0].exponent, rank)


def _stand_in(call: NodeCall, sources: list[Quantized]) -> str:
    tensors = [call.builder.tensors[source.tensor] for source in sources]
    channels = sum(tensor.channels for tensor in tensors)
    return call.stand_in(sources[0].tensor, channels, tensors[0].dtype)


def _joined(call: NodeCall, sources: list[Quantized]) -> str:
    names = tuple(source.tensor for source in sources)
    while len(names) > MAX_INPUTS:
        names = (_add(call, "part", names[:MAX_INPUTS]), *names[MAX_INPUTS:])
    tensor = _add(call, "", names) if len(names) > 1 else names[0]
    if len(names) > 1:
        channels = call.builder.tensors[tensor].channels
        call.share(tensor, np.full(channels, sources[0].exponent))
    return tensor


def _check(call: NodeCall, sources: list[Quantized]) -> None:
    """One scale, one type, one size; SephwError naming the module of the first that differs."""
    tensors = [call.builder.tensors[source.tensor] for source in sources]
    first = tensors[0]
    for source, tensor in zip(sources, tensors, strict=True):
        names = f"'{tensor.module or tensor.name}'", f"'{first.module or first.name}'"
        if (source.exponent, tensor.dtype) != (sources[0].exponent, first.dtype):
            fix = "give their quantizers one scale and bit width"
            if call.builder.image in (source.tensor, sources[0].tensor):
                fix = "the image's are fixed, give the other quantizer the same"
            call.refuse(
                SephwError(
                    f"{call.where}: {names[0]} has steps of 2^-{source.exponent} and "
                    f"{tensor.dtype}, {names[1]} 2^-{sources[0].exponent} and {first.dtype}; {fix}"
                )
            )
        if (tensor.height, tensor.width) != (first.height, first.width):
            raise SephwError(
                f"{call.where}: {names[0]} is {tensor.height}×{tensor.width}, "
                f"{names[1]} {first.height}×{first.width}; make them equal"
            )
        if source.rank != sources[0].rank:
            raise SephwError(
                f"{call.where}: {names[0]} has {source.rank} axes, {names[1]} {sources[0].rank}; "
                "flatten both or none"
            )


def _add(call: NodeCall, suffix: str, names: tuple[str, ...]) -> str:
    tensors = [call.builder.tensors[name] for name in names]
    operator = Concat(
        height=tensors[0].height,
        width=tensors[0].width,
        channels=tuple(tensor.channels for tensor in tensors),
        dtype=tensors[0].dtype,
    )
    return call.builder.add(call.label, suffix, operator, names)
