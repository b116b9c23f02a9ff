"""The delay of a whole network's wires, added to the clock period of its slowest engine."""

from __future__ import annotations

from math import inf, isinf, sqrt


def network_mhz(engine_mhz: float, lut: int, wires_ns: float) -> float:
    """Clock rate of a network of ``lut`` LUTs whose slowest engine reaches ``engine_mhz`` alone.

    period = the engine's + wires_ns · √lut: wires grow with the side of the square that the logic
    fills. Infinite where ``engine_mhz`` is: that clock is not modelled.
    """
    if isinf(engine_mhz):
        return inf
    return 1000 / (1000 / engine_mhz + wires_ns * sqrt(lut))


__all__ = ["network_mhz"]
