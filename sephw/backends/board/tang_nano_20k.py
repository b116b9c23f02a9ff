"""Pins of the Sipeed Tang Nano 20K, a board that amaranth-boards has no table of."""

from __future__ import annotations

from typing import ClassVar

from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import GowinPlatform
from amaranth_boards.resources import ButtonResources, LEDResources, UARTResource

_IO = Attrs(IO_TYPE="LVCMOS33")


class TangNano20kPlatform(GowinPlatform):
    """Only what a board top uses; after the maker's schematic."""

    part = "GW2AR-LV18QN88C8/I7"
    family = "GW2AR-18C"
    default_clk = "clk27"
    resources: ClassVar[list[object]] = [
        Resource("clk27", 0, Pins("4", dir="i"), Clock(27e6), _IO),
        *LEDResources(pins="15 16 17 18 19 20", invert=True, attrs=_IO),
        # Pressed is 1; the board pulls down.
        *ButtonResources(pins="88 87", attrs=_IO),
        UARTResource(0, rx="70", tx="69", attrs=Attrs(IO_TYPE="LVCMOS33", PULL_MODE="UP")),
    ]
    connectors: ClassVar[list[object]] = []
