"""Models of a netlist's cells: functions, registers and blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

# A net by its number in the netlist, or a constant: "0", "1" or, undefined, "x".
Bit = int | str


@dataclass(frozen=True)
class Function:
    """``output`` is bit i of ``table``, where bit k of i is the value of ``inputs[k]``."""

    output: Bit
    inputs: tuple[Bit, ...]
    table: int


@dataclass(frozen=True)
class Register:
    """A D flip-flop.

    ``enable`` "1": always; ``reset`` "0": never; ``reset_value``: what a reset makes of it.
    ``asynchronous``: the reset waits for no clock; ``gated_reset``: a reset without ``enable``
    does nothing.
    """

    output: Bit
    data: Bit
    clock: Bit
    rising: bool = True
    enable: Bit = "1"
    enable_high: bool = True
    reset: Bit = "0"
    reset_high: bool = True
    reset_value: int = 0
    asynchronous: bool = False
    gated_reset: bool = False


@dataclass(frozen=True)
class Block:
    """A memory or a multiplier: an instance of a module of ``rtl/cells``.

    ``parameters``: bits, highest first, or text; ``ports``: bits by port, lowest first;
    ``outputs``: the ports that it drives.
    """

    name: str
    module: str
    parameters: Mapping[str, str]
    ports: Mapping[str, tuple[Bit, ...]]
    outputs: frozenset[str]


Part = Function | Register | Block


@dataclass(frozen=True)
class Cell:
    """A cell of the netlist as Yosys writes it; ``fresh``: numbers for nets inside it.

    ``outputs``: the ports that it drives.
    """

    name: str
    kind: str
    parameters: Mapping[str, str]
    ports: Mapping[str, tuple[Bit, ...]]
    outputs: frozenset[str]
    fresh: count[int]

    def bit(self, port: str, absent: Bit = "0") -> Bit:
        """The one bit of a port; ``absent`` where it is not connected."""
        bits = self.ports.get(port, ())
        return bits[0] if bits else absent

    def output(self, port: str) -> Bit:
        """The net of an output; a new one where nothing is connected."""
        bits = self.ports.get(port, ())
        return bits[0] if bits else next(self.fresh)

    def number(self, parameter: str, default: int = 0) -> int:
        """A parameter of bits, undefined ones 0."""
        text = self.parameters.get(parameter)
        return default if text is None else int(text.replace("x", "0").replace("z", "0"), 2)

    def text(self, parameter: str, default: str) -> str:
        """A parameter of text; Yosys ends one that looks like bits with a space."""
        return self.parameters.get(parameter, default).removesuffix(" ")

    def as_block(self) -> Block:
        """The cell as an instance of the module of its kind."""
        return Block(self.name, self.kind, self.parameters, self.ports, self.outputs)


Meaning = Callable[[Cell], list[Part]]


def table_of(function: Callable[..., bool | int], inputs: int) -> int:
    """The truth table of a function of ``inputs`` bits (0 or 1)."""
    table = 0
    for row in range(1 << inputs):
        table |= (int(function(*(row >> k & 1 for k in range(inputs)))) & 1) << row
    return table
