"""The generated half of the board's simulation: its button, its lights, its network's clock."""

from __future__ import annotations

from sephw.backends.board.pins import BoardPins

BENCH, HEADER = "sephw_board_bench.cpp", "sephw_board.h"


def bench_header(top: str, pins: BoardPins) -> str:
    """C++ that presses the button of a compiled top, looks at its lights, drives its clock."""
    button = pins.button
    press = "(void)m, (void)down;"
    if button is not None:
        press = f"m.{button.port} = {'!' if button.inverted else ''}down;"
    lights = [
        f"(m.{pin.port} {'==' if pin.inverted else '!='} 0 ? {1 << i}u : 0u)"
        for i, pin in enumerate(pins.leds)
    ]
    return "\n".join(
        [
            f"// Button, lights and network's clock of {top}; generated.",
            "#ifndef SEPHW_BOARD_H",
            "#define SEPHW_BOARD_H",
            '#include "Vtop.h"',
            '#include "Vtop___024root.h"',
            "#include <cstdint>",
            "",
            "namespace sephw {",
            "",
            "using Model = Vtop;",
            f"inline void press(Model &m, bool down) {{ {press} }}",
            "inline std::uint32_t lights(const Model &m) {",
            f"    return {' | '.join(lights) or '0'};",
            "}",
            "inline void clock(Model &m, bool level) {",
            f"    m.rootp->{top}__DOT__pll__DOT__driven = level;",
            "}",
            "",
            "} // namespace sephw",
            "#endif",
            "",
        ]
    )
