"""The windows of convolutions and pools: sizes and padding as ONNX defines them."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.errors import SephwError
from sephw.frontend.call import NodeCall
from sephw.ir import Tensor
from sephw.ops.sliding_window import SlidingWindow

Pair = tuple[int, int]


@dataclass(frozen=True)
class KernelWindow:
    """Vertical first: kernel, output size, padding before and behind; one stride for both."""

    kernel: Pair
    outputs: Pair
    before: Pair
    behind: Pair
    stride: int

    @property
    def pads(self) -> tuple[int, int, int, int]:
        """The padding in ONNX' order: top, left, bottom, right."""
        return (*self.before, *self.behind)


@dataclass(frozen=True)
class WindowAttributes:
    """The window attributes of a node; None where an attribute is left away."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...] | None
    pads: tuple[int, ...] | None
    dilations: tuple[int, ...] | None
    auto_pad: str
    ceil: bool = False


def window_of(call: NodeCall, tensor: Tensor, attributes: WindowAttributes) -> KernelWindow:
    """The windows over ``tensor`` by ``attributes``, with explicit padding and no rounding up.

    With ``ceil`` the last window may reach beyond the padded map, not start there. Raises
    SephwError for windows that the engines do not compute, and for invalid ones.
    """
    kernel = attributes.kernel
    strides = attributes.strides or (1, 1)
    pads = attributes.pads or (0, 0, 0, 0)
    dilations = attributes.dilations or (1, 1)
    if [len(v) for v in (kernel, strides, pads, dilations)] != [2, 2, 4, 2]:
        raise SephwError(f"{call.where}: its windows are not two-dimensional; use 2-D layers")
    if dilations != (1, 1):
        raise SephwError(f"{call.where}: dilations {list(dilations)}; use dilations of 1")
    if strides[0] != strides[1]:
        raise SephwError(f"{call.where}: strides {list(strides)}; use one stride for both sides")
    if min(*kernel, *strides) < 1 or min(pads) < 0:
        raise SephwError(f"{call.where}: a kernel, stride or padding is too small; export it again")
    if attributes.auto_pad not in _AUTO_PADS:
        raise SephwError(
            f"{call.where}: auto_pad '{attributes.auto_pad}'; ONNX has {', '.join(_AUTO_PADS)}"
        )
    if attributes.auto_pad != "NOTSET" and (any(pads) or attributes.ceil):
        raise SephwError(
            f"{call.where}: auto_pad {attributes.auto_pad} beside pads or ceil_mode; use pads alone"
        )
    sides = [
        _side(call, attributes, size, kernel[i], strides[0], (pads[i], pads[i + 2]))
        for i, size in enumerate((tensor.height, tensor.width))
    ]
    (rows, top, bottom), (columns, left, right) = sides
    return KernelWindow(
        (kernel[0], kernel[1]), (rows, columns), (top, left), (bottom, right), strides[0]
    )


def add_window(call: NodeCall, source: str, window: KernelWindow, groups: int = 1) -> str:
    """Append the SlidingWindow over the tensor ``source``; returns its tensor."""
    tensor = call.builder.tensors[source]
    return call.builder.add(
        call.label,
        "window",
        SlidingWindow(
            height=tensor.height,
            width=tensor.width,
            channels=tensor.channels,
            dtype=tensor.dtype,
            kernel_height=window.kernel[0],
            kernel_width=window.kernel[1],
            stride=window.stride,
            padding_top=window.before[0],
            padding_left=window.before[1],
            output_height=window.outputs[0],
            output_width=window.outputs[1],
            groups=groups,
        ),
        (source,),
    )


_AUTO_PADS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


def _side(
    call: NodeCall, attributes: WindowAttributes, size: int, kernel: int, stride: int, pads: Pair
) -> tuple[int, int, int]:
    """Windows along a side, and its padding before and behind."""
    before, behind = pads
    if attributes.auto_pad.startswith("SAME"):
        outputs = -(-size // stride)
        total = max((outputs - 1) * stride + kernel - size, 0)
        less = total // 2
        before, behind = less, total - less
        if attributes.auto_pad == "SAME_LOWER":
            before, behind = behind, before
        return outputs, before, behind
    if max(before, behind) >= kernel:
        raise SephwError(
            f"{call.where}: padding {max(pads)} with a kernel of {kernel}: windows of zeros alone; "
            f"use a padding below {kernel}"
        )
    room = size + before + behind - kernel
    if room < 0:
        raise SephwError(
            f"{call.where}: a kernel of {kernel} on {size} pixels padded by {before} and {behind}; "
            "use a smaller kernel or more padding"
        )
    outputs = room // stride + 1
    if attributes.ceil and room % stride and outputs * stride < size + before:
        # One more window, as if the map went on behind: padding that it needs, below the kernel.
        behind = outputs * stride + kernel - size - before
        outputs += 1
    return outputs, before, behind
