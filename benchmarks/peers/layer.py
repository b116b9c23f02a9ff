"""The layer that everybody builds: 1-bit 3×3 patterns over 8-bit activations, seeded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
KERNEL = 3
ACTIVATION_BITS = 8


@dataclass(frozen=True)
class Layer:
    """A ``size`` × ``size`` map, stride 1, zeros around it; as many channels out as in."""

    size: int = 32
    channels: int = 16
    groups: int = 1
    seed: int = 2026

    @property
    def macs(self) -> int:
        """One-bit multiply-accumulates per image."""
        per_pixel = KERNEL * KERNEL * self.channels * self.channels // self.groups
        return self.size * self.size * per_pixel

    @cached_property
    def patterns(self) -> Integers:
        """±1, int64 (out channel, ky, kx, channel of the group)."""
        rng = np.random.default_rng(self.seed)
        shape = (self.channels, KERNEL, KERNEL, self.channels // self.groups)
        return 2 * rng.integers(0, 2, shape, np.int64) - 1

    def images(self, count: int, *, signed: bool = False) -> Integers:
        """Random activations, int64 (count, size, size, channels); the last image is extreme."""
        rng = np.random.default_rng(self.seed + 1)
        shape = (count, self.size, self.size, self.channels)
        top = 1 << ACTIVATION_BITS
        values = rng.integers(0, top, shape, np.int64)
        if count > 1:
            values[-1] = (top - 1) * (values[-1] & 1)
        return values - (top // 2 if signed else 0)

    def expected(self, images: Integers) -> Integers:
        """Exact sums, int64 (N, size, size, channels): shifted images times taps, in numpy."""
        edge = KERNEL // 2
        padded = np.pad(images, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
        per_group = self.channels // self.groups
        sums = np.zeros(images.shape, np.int64)
        for group in range(self.groups):
            own = slice(group * per_group, (group + 1) * per_group)
            for ky in range(KERNEL):
                for kx in range(KERNEL):
                    part = padded[:, ky : ky + self.size, kx : kx + self.size, own]
                    sums[..., own] += part @ self.patterns[own, ky, kx].T
        return sums
