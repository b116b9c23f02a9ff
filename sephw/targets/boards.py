"""The table of boards: device, package, and the clock that projects ask for."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.errors import UsageError
from sephw.suggest import did_you_mean
from sephw.targets.devices import find_device
from sephw.technologies import Device


@dataclass(frozen=True)
class OpenBoard:
    """The open flow's data of a board. Pins come from amaranth-boards' table.

    ``platform``: "module:Class" of amaranth-boards, or of a table in its form. ``package``: the
    chip's package as place-and-route spells it ("" where the part determines it). ``speed``: speed
    grade, same ("" where there is none). ``cable``: the board's name for openFPGALoader.
    ``uart_connector``: (connector, number, rx, tx), the pins of the host link where the table has
    no UART. ``driven_high``: (resource, number, part) of each output that must be 1.
    """

    platform: str
    package: str
    speed: str
    cable: str
    uart_connector: tuple[str, int, str, str] | None = None
    driven_high: tuple[tuple[str, int, str], ...] = ()


# The pins of the OrangeCrab's Feather connector that it calls RX and TX.
_FEATHER_UART = ("io", 0, "0", "1")
# The ESP32 of the ULX3S reads GPIO0 and could reload the FPGA.
_ESP32_IDLE = (("esp32", 0, "gpio0"),)


@dataclass(frozen=True)
class Target:
    """A board. `clock_ns` is requested, not measured; `open_board` None: the vendor's flow."""

    name: str
    board: str
    device: Device
    clock_ns: float
    open_board: OpenBoard | None = None

    @property
    def part(self) -> str:
        """The device's part as its tools spell it."""
        return self.device.part


TARGETS: tuple[Target, ...] = (
    Target("pynq-z2", "TUL PYNQ-Z2 (Zynq-7000)", find_device("xc7z020"), 10.0),
    Target("zcu104", "AMD ZCU104 (Zynq UltraScale+)", find_device("xczu7ev"), 5.0),
    Target("kv260", "AMD Kria KV260 (Zynq UltraScale+)", find_device("xck26"), 5.0),
    Target("ultra96", "Avnet Ultra96-V2 (Zynq UltraScale+)", find_device("xczu3eg"), 5.0),
    Target(
        "ulx3s-85f",
        "Radiona ULX3S 85F (ECP5)",
        find_device("ecp5-85f"),
        10.0,
        OpenBoard(
            "amaranth_boards.ulx3s:ULX3S_85F_Platform",
            "CABGA381",
            "6",
            "ulx3s",
            driven_high=_ESP32_IDLE,
        ),
    ),
    Target(
        "ulx3s-25f",
        "Radiona ULX3S 25F (ECP5)",
        find_device("ecp5-25f"),
        10.0,
        OpenBoard(
            "amaranth_boards.ulx3s:ULX3S_25F_Platform",
            "CABGA381",
            "6",
            "ulx3s",
            driven_high=_ESP32_IDLE,
        ),
    ),
    Target(
        "orangecrab-25f",
        "OrangeCrab r0.2 25F (ECP5)",
        find_device("ecp5-25f"),
        10.0,
        OpenBoard(
            "amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
            "CSFBGA285",
            "8",
            "orangeCrab",
            uart_connector=_FEATHER_UART,
        ),
    ),
    Target(
        "orangecrab-85f",
        "OrangeCrab r0.2 85F (ECP5)",
        find_device("ecp5-85f"),
        10.0,
        OpenBoard(
            "amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_85FPlatform",
            "CSFBGA285",
            "8",
            "orangeCrab",
            uart_connector=_FEATHER_UART,
        ),
    ),
    Target(
        "icebreaker",
        "1BitSquared iCEBreaker (iCE40 UP5K)",
        find_device("ice40-up5k"),
        62.5,
        OpenBoard("amaranth_boards.icebreaker:ICEBreakerPlatform", "sg48", "", "ice40_generic"),
    ),
    Target(
        "tang-nano-9k",
        "Sipeed Tang Nano 9K (GW1NR-9)",
        find_device("gw1nr-9"),
        37.037,
        OpenBoard("amaranth_boards.tang_nano_9k:TangNano9kPlatform", "", "", "tangnano9k"),
    ),
    Target(
        "tang-nano-20k",
        "Sipeed Tang Nano 20K (GW2AR-18)",
        find_device("gw2ar-18"),
        37.037,
        OpenBoard("sephw.backends.board.tang_nano_20k:TangNano20kPlatform", "", "", "tangnano20k"),
    ),
)
DEFAULT_TARGET = "pynq-z2"


def find_target(name: str) -> Target:
    """The target called `name`; UsageError lists the names where there is none."""
    for target in TARGETS:
        if target.name == name:
            return target
    names = ", ".join(target.name for target in TARGETS)
    hint = did_you_mean(name, (target.name for target in TARGETS))
    raise UsageError(f"target '{name}' is unknown; {hint}use one of {names}")
