"""Windows of torch's pools, and which of them the engines compute."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.errors import SephwError
from sephw.nn.binarize.call import TorchCall
from sephw.nn.geometry import average_is_exact, pair

Pair = tuple[int, int]


@dataclass(frozen=True)
class PoolWindow:
    """Kernel, stride and padding in pixels, vertical first; ``ceil``: torch's ceil_mode."""

    kernel: Pair
    stride: Pair
    padding: Pair
    ceil: bool


def max_window(call: TorchCall) -> PoolWindow:
    """The window of a max-pool, module or function. Raises SephwError where it is dilated."""
    module = call.module
    dilation = module.dilation if module else call.take("dilation", 1)
    if pair(dilation) != (1, 1):
        raise SephwError(f"{call.where}: dilation {pair(dilation)}; use a dilation of 1")
    if module.return_indices if module else call.take("return_indices", False):
        raise SephwError(f"{call.where}: returns indices; use return_indices=False")
    return _window(call)


def average_window(call: TorchCall) -> PoolWindow:
    """The window of an average pool. Raises SephwError unless it divides by its window's size."""
    module = call.module
    counts = module.count_include_pad if module else call.take("count_include_pad", True)
    divisor = module.divisor_override if module else call.take("divisor_override")
    window = _window(call)
    if any(window.padding) and not counts:
        raise SephwError(
            f"{call.where}: count_include_pad=False divides by another number at the border; "
            "use count_include_pad=True"
        )
    if divisor is not None:
        raise SephwError(
            f"{call.where}: divisor_override={divisor}; leave it away, the next layer learns the "
            "factor"
        )
    return window


def _window(call: TorchCall) -> PoolWindow:
    module = call.module
    if module is not None:
        kernel, stride, padding = module.kernel_size, module.stride, module.padding
        return PoolWindow(
            pair(kernel), pair(stride or kernel), pair(padding), bool(module.ceil_mode)
        )
    kernel = call.take("kernel_size")
    stride, padding = call.take("stride"), call.take("padding", 0)
    ceil = call.take("ceil_mode", False)
    return PoolWindow(pair(kernel), pair(stride or kernel), pair(padding), bool(ceil))


def check_window(
    where: str, window: PoolWindow, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    """SephwError for unequal strides, and where ceil_mode gives other sizes than floor does.

    ``before`` and ``after`` are the shapes (N, C, H, W) of input and output.
    """
    if window.stride[0] != window.stride[1]:
        raise SephwError(f"{where}: unequal strides {window.stride}; use one stride")
    floor = tuple(
        (size + 2 * padding - kernel) // stride + 1
        for size, padding, kernel, stride in zip(
            before[2:], window.padding, window.kernel, window.stride, strict=True
        )
    )
    if window.ceil and floor != after[2:]:
        raise SephwError(
            f"{where}: ceil_mode makes {after[2]}×{after[3]} of {before[2]}×{before[3]}; use "
            "ceil_mode=False with a padding that gives this size"
        )


def square(where: str, window: PoolWindow, top: int) -> tuple[int, int, int]:
    """(kernel, stride, padding) of a square average window over integers 0..``top``.

    SephwError where it is not square, or its average not exact.
    """
    kernel, stride, padding = window.kernel[0], window.stride[0], window.padding[0]
    if window != PoolWindow(pair(kernel), pair(stride), pair(padding), window.ceil):
        raise SephwError(f"{where}: a window that is not square; use equal sizes")
    if not average_is_exact(kernel**2, top):
        raise SephwError(
            f"{where}: an average over {kernel}×{kernel} is not exact in float32; use "
            "kernel_size 2, 3, 4, 6, 8 or 12"
        )
    return kernel, stride, padding
