"""Small things that the benches of all technologies share."""

from __future__ import annotations


def bits(value: int, width: int) -> str:
    return f"{value:0{width}b}"


def signed(value: int, width: int, on: bool = True) -> int:
    return value - (1 << width) if on and value >> width - 1 else value


def lut(table: int, *inputs: int) -> int:
    return table >> sum(bit << k for k, bit in enumerate(inputs)) & 1
