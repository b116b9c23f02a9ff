"""SystemVerilog of a board's top module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sephw.backends.board.pins import BoardPins
from sephw.backends.layout import Layout
from sephw.technologies.routing import Pin


@dataclass(frozen=True)
class LinkNumbers:
    """Parameters of the host link that do not follow from the network."""

    uart_hz: int
    clocks_per_bit: int
    build_id: int
    stall_bits: int
    reset_bits: int


def board_top_text(
    name: str, board: str, layout: Layout, pins: BoardPins, numbers: LinkNumbers
) -> str:
    """The top: clock, reset, host link, network, lights; one port per pin."""
    source, sink = layout.streams[layout.input], layout.streams[layout.output]
    link = {
        "CLOCKS_PER_BIT": str(numbers.clocks_per_bit),
        "IN_LANES": str(source.lanes),
        "IN_BITS": str(source.bits),
        "IN_WORDS": str(source.words),
        "OUT_LANES": str(sink.lanes),
        "OUT_BITS": str(sink.bits),
        "OUT_WORDS": str(sink.words),
        "OUT_SIGNED": f"1'b{int(sink.signed)}",
        "BUILD_ID": f"64'h{numbers.build_id:016x}",
        "STALL_BITS": str(numbers.stall_bits),
        "RESET_BITS": str(numbers.reset_bits),
    }
    pressed = "1'b0" if pins.button is None else _signal(pins.button)
    lines = [
        f"// {name}: {board}, network {layout.project} behind the host link; generated.",
        "//",
        "// Lights, as far as the board has them: the clock runs; requests arrive; the last thing",
        "// that came was damaged, or the network stalled.",
        "`default_nettype none",
        "",
        f"module {name} (",
        *_ports(pins),
        ");",
        "  // Kept, so that reports call the clocks by these names.",
        "  (* keep *) wire clk, uart_clk;",
        "  wire locked, rst_n, uart_rst_n, network_rst_n, heartbeat, gate, heard, trouble;",
        *_wires("image", source.bits * source.lanes),
        *_wires("result", sink.bits * sink.lanes),
        "",
        "  sephw_board_pll pll (",
        f"      .clk_in({pins.clock.port}),",
        "      .uart_clk(uart_clk),",
        "      .clk(clk),",
        "      .locked(locked)",
        "  );",
        "",
        "  sephw_board_reset reset (",
        "      .clk(clk),",
        "      .locked(locked),",
        f"      .button({pressed}),",
        "      .rst_n(rst_n)",
        "  );",
        "",
        "  sephw_board_reset uart_reset (",
        "      .clk(uart_clk),",
        "      .locked(locked),",
        f"      .button({pressed}),",
        "      .rst_n(uart_rst_n)",
        "  );",
        "",
        "  sephw_link #(",
        *_listing(link),
        "  ) link (",
        *_listing(
            {
                "clk": "clk",
                "rst_n": "rst_n",
                "uart_clk": "uart_clk",
                "uart_rst_n": "uart_rst_n",
                "gate": "gate",
                "uart_rx": _signal(pins.uart_rx),
                "uart_tx": pins.uart_tx.port,
                "network_rst_n": "network_rst_n",
                **{f"m_axis_{side}": f"image_{side}" for side in _SIDES},
                **{f"s_axis_{side}": f"result_{side}" for side in _SIDES},
                "heard": "heard",
                "trouble": "trouble",
            }
        ),
        "  );",
        "",
        f"  {layout.project} network (",
        *_listing(
            {
                "ap_clk": "clk",
                "ap_rst_n": "network_rst_n",
                **{f"s_axis_0_{side}": f"image_{side}" for side in _SIDES},
                **{f"m_axis_0_{side}": f"result_{side}" for side in _SIDES},
            }
        ),
        "  );",
        "",
        "  sephw_board_heartbeat #(",
        f"      .CLOCK_HZ({numbers.uart_hz})",
        "  ) beat (",
        "      .clk(uart_clk),",
        "      .rst_n(uart_rst_n),",
        "      .light(heartbeat),",
        "      .gate(gate)",
        "  );",
        "",
        *(f"  assign {pin.port} = {_driven(pin, light)};" for pin, light in _lights(pins)),
        *(f"  assign {pin.port} = 1'b{int(not pin.inverted)};" for pin in pins.driven_high),
        *_unused(pins),
        "endmodule",
        "",
        "`default_nettype wire",
        "",
    ]
    return "\n".join(lines)


_SIDES = ("tdata", "tvalid", "tready")


def _ports(pins: BoardPins) -> list[str]:
    lines = [f"    {'output' if pin.is_output else 'input '} wire {pin.port}," for pin in pins.all]
    lines[-1] = lines[-1].removesuffix(",")
    return lines


def _wires(stem: str, width: int) -> list[str]:
    return [f"  wire [{width - 1}:0] {stem}_tdata;", f"  wire {stem}_tvalid, {stem}_tready;"]


def _listing(pairs: dict[str, str]) -> Sequence[str]:
    lines = [f"      .{name}({value})," for name, value in pairs.items()]
    lines[-1] = lines[-1].removesuffix(",")
    return lines


def _signal(pin: Pin) -> str:
    return f"{'!' if pin.inverted else ''}{pin.port}"


def _driven(pin: Pin, signal: str) -> str:
    return f"!({signal})" if pin.inverted else signal


def _lights(pins: BoardPins) -> list[tuple[Pin, str]]:
    """The signal of each LED; two LEDs share three signals."""
    signals = {
        1: ["heartbeat ^ trouble"],
        2: ["heartbeat", "heard && !trouble"],
        3: ["heartbeat", "heard", "trouble"],
    }.get(len(pins.leds), [])
    return list(zip(pins.leds, signals, strict=True))


def _unused(pins: BoardPins) -> list[str]:
    signals = ["heartbeat", "heard", "trouble"][: 3 if len(pins.leds) < 3 else 0]
    return [f"  wire unused = &{{1'b0, {', '.join(signals)}}};"] if signals else []
