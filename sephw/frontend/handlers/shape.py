"""Operators that move nothing: flattened maps, identities, constants and their transposes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from onnx import TensorProto

from sephw.errors import SephwError
from sephw.files import reading
from sephw.frontend.call import NodeCall
from sephw.frontend.handler import NoAttributes
from sephw.frontend.onnx_file import array_of
from sephw.frontend.values import Average, Constant, Curve, Image, Quantized, Sum, Unrolled, Value

Moved = Quantized | Sum | Average | Curve


@dataclass(frozen=True)
class ConstantAttributes:
    """The attributes of Constant, of which one is given."""

    value: TensorProto | None = None
    value_float: float | None = None
    value_floats: tuple[float, ...] | None = None
    value_int: int | None = None
    value_ints: tuple[int, ...] | None = None


@dataclass(frozen=True)
class DropoutAttributes:
    """The attributes of Dropout; they have no effect at inference."""

    ratio: float = 0.5
    seed: int = 0


@dataclass(frozen=True)
class FlattenAttributes:
    """The attributes of Flatten."""

    axis: int = 1


@dataclass(frozen=True)
class ReshapeAttributes:
    """The attributes of Reshape."""

    allowzero: bool = False


@dataclass(frozen=True)
class SqueezeAttributes:
    """The attributes of Squeeze; ``axes`` is an input in later opsets."""

    axes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class TransposeAttributes:
    """The attributes of Transpose; None reverses the axes."""

    perm: tuple[int, ...] | None = None


def constant(call: NodeCall, given: ConstantAttributes) -> Value:
    """Constant, in each form that holds numbers."""
    if given.value is not None:
        return Constant(array_of(call.where, given.value))
    if given.value_float is not None:
        return Constant(np.array(given.value_float, np.float32))
    if given.value_floats is not None:
        return Constant(np.array(given.value_floats, np.float32))
    if given.value_int is not None:
        return Constant(np.array(given.value_int, np.int64))
    if given.value_ints is not None:
        return Constant(np.array(given.value_ints, np.int64))
    raise SephwError(f"{call.where}: holds no value; export it again")


def identity(call: NodeCall, given: NoAttributes) -> Value:
    """Identity."""
    return call.value(0)


def dropout(call: NodeCall, given: DropoutAttributes) -> Value:
    """Dropout at inference; SephwError where it drops."""
    ratio = given.ratio if call.optional(1) is None else call.scalar(1)
    if not 0 <= ratio < 1:
        raise SephwError(f"{call.where}: a ratio of {ratio:g}; it must be from 0 to below 1")
    training = call.optional(2)
    if training is not None:
        if not isinstance(training, Constant) or training.data.size != 1:
            raise SephwError(
                f"{call.where}: training_mode must be a constant; export in evaluation mode"
            )
        if training.data.reshape(-1)[0]:
            raise SephwError(
                f"{call.where}: training_mode is set, so it drops at random; export in evaluation "
                "mode"
            )
    return call.value(0)


def flatten(call: NodeCall, given: FlattenAttributes) -> Value:
    """Flatten behind the batch: of a 1×1 map only the rank changes."""
    value = _moved(call)
    if given.axis not in (1, 1 - value.rank):
        raise SephwError(
            f"{call.where}: axis {given.axis} mixes the batch with channels; use axis 1"
        )
    return _row(call, value)


def squeeze(call: NodeCall, given: SqueezeAttributes) -> Value:
    """Squeeze of a 1×1 map's height and width."""
    value = _moved(call)
    tensor = call.builder.tensors[_tensor(value)]
    if tensor.height * tensor.width != 1:
        raise SephwError(
            f"{call.where}: a {tensor.height}×{tensor.width} map has no axes of size 1; use Flatten"
        )
    axes = given.axes if call.optional(1) is None else call.integers(1)
    if axes is not None and not (
        value.rank == 4 and sorted(a % 4 for a in axes if -4 <= a < 4) == [2, 3]
    ):
        raise SephwError(
            f"{call.where}: removes axes {list(axes)}; only height and width together are removed, "
            "give axes=[2, 3]"
        )
    return replace(value, rank=2)


def reshape(call: NodeCall, given: ReshapeAttributes) -> Value:
    """Reshape of constants, and of a map to one row an image, (N, C·H·W), or to (N, C, H, W)."""
    first, target = call.value(0), call.integers(1)
    if isinstance(first, Constant):
        return replace(first, data=_reshaped(call, first, target, given.allowzero))
    value = _moved(call)
    tensor = call.builder.tensors[_tensor(value)]
    batch, channels = call.builder.batch, tensor.channels
    whole = (batch, channels, tensor.height, tensor.width)
    found = _resolved(target, whole[: value.rank], given.allowzero)
    row = (batch, tensor.elements)
    for shape in (row, whole):
        if found == shape:
            # The batch of the file is left open.
            call.builder.shapes[call.output] = (-1, *shape[1:])
            return _row(call, value) if shape == row else replace(value, rank=4)
    raise SephwError(
        f"{call.where}: makes ({', '.join(map(str, target))}) of "
        f"({', '.join(map(str, whole[: value.rank]))}); only all of an image is flattened, to {row}"
    )


def transpose(call: NodeCall, given: TransposeAttributes) -> Value:
    """Transpose of constant weights."""
    value = call.value(0)
    if not isinstance(value, Constant):
        raise SephwError(
            f"{call.where}: transposes an activation; only weights can be transposed: export the "
            "network with channels first (N, C, H, W)"
        )
    axes = tuple(range(value.data.ndim))[::-1] if given.perm is None else given.perm
    if sorted(axes) != list(range(value.data.ndim)):
        raise SephwError(f"{call.where}: perm {list(axes)} is no permutation; export it again")
    return Constant(np.transpose(value.data, axes), value.bipolar)


def _tensor(value: Moved) -> str:
    return value.branches[0].tensor if isinstance(value, Sum) else value.tensor


def _moved(call: NodeCall) -> Moved:
    """Input 0, an activation."""
    value = call.value(0)
    if isinstance(value, Unrolled):
        raise call.unrolled(value)
    if isinstance(value, Constant | Image):
        raise SephwError(f"{call.where}: its input must not be a constant; fold it into one")
    return value


def _row(call: NodeCall, value: Moved) -> Value:
    """The map as one row an image; only linear layers read it where it has several pixels."""
    tensor = call.builder.tensors[_tensor(value)]
    if tensor.height * tensor.width == 1:
        return replace(value, rank=2)
    if isinstance(value, Quantized):
        return Unrolled(value.tensor, value.exponent)
    raise SephwError(
        f"{call.where}: flattens a {tensor.height}×{tensor.width} map that is not quantized; put a "
        "quantizer (Quant; sephw.nn.QuantReLU) before it"
    )


def _resolved(target: tuple[int, ...], own: tuple[int, ...], zeros: bool) -> tuple[int, ...] | None:
    """The shape that ``target`` means for a tensor of shape ``own``; None where it has none."""
    sizes = [
        own[i] if size == 0 and not zeros and i < len(own) else size
        for i, size in enumerate(target)
    ]
    known = prod(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or min(sizes) < -1 or known <= 0:
        return None
    whole, rest = divmod(prod(own), known)
    filled = tuple(whole if size == -1 else size for size in sizes)
    return None if rest or prod(filled) != prod(own) else filled


def _reshaped(
    call: NodeCall, value: Constant, target: tuple[int, ...], zeros: bool
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    found = _resolved(target, value.data.shape, zeros)
    if found is None:
        raise SephwError(
            f"{call.where}: no ({', '.join(map(str, target))}) can be made of "
            f"({', '.join(map(str, value.data.shape))}); export it again"
        )
    with reading(call.where, "export it again"):
        return value.data.reshape(found)
