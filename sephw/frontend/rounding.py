"""The rounding modes of QONNX on float32, as its own executor computes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def _half_up(x: Float) -> Float:
    return np.sign(x) * np.floor(np.abs(x) + np.float32(0.5))


def _half_down(x: Float) -> Float:
    return np.sign(x) * np.ceil(np.abs(x) - np.float32(0.5))


def _up(x: Float) -> Float:
    return np.sign(x) * np.ceil(np.abs(x))


# Away from zero is "up".
ROUNDERS: Mapping[str, Callable[[Float], Float]] = {
    "ROUND": np.round,
    "HALF_EVEN": np.round,
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "UP": _up,
    "DOWN": np.trunc,
    "HALF_UP": _half_up,
    "HALF_DOWN": _half_down,
}
