"""One AXI-Stream port per stream around an RTL core whose streams come as one vector."""

from __future__ import annotations

from collections.abc import Sequence


def numbered_ports(
    module: str,
    core: str,
    *,
    parameters: Sequence[str],
    files: Sequence[str] = (),
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> str:
    """SystemVerilog of ``module``: ``core`` with ports ``s_axis_<i>_t*`` and ``m_axis_<i>_t*``.

    SystemVerilog has no variable number of ports, and an unused one would have to be tied off
    wherever the engine is used. The core has ``s_axis_t*`` and ``m_axis_t*``, stream 0 in the low
    bits. ``inputs`` and ``outputs`` are each stream's tdata width, an expression of
    ``parameters`` (integers) of the module; ``files`` are its string parameters. All parameters,
    ``FIFO_DEPTH_<output>`` included, go to the core under their own names.
    """
    integers = (*parameters, *(f"FIFO_DEPTH_{i}" for i in range(len(outputs))))
    declared = [f'parameter {name} = ""' for name in files]
    declared += [f"parameter int {name} = 1" for name in integers]
    ports = ["input  wire ap_clk", "input  wire ap_rst_n"]
    for prefix, widths, forward, backward in (
        ("s_axis", inputs, "input ", "output"),
        ("m_axis", outputs, "output", "input "),
    ):
        for i, width in enumerate(widths):
            ports += [
                f"{forward} wire [{width}-1:0] {prefix}_{i}_tdata",
                f"{forward} wire {prefix}_{i}_tvalid",
                f"{backward} wire {prefix}_{i}_tready",
            ]
    connected = [f".{name}({name})" for name in ("ap_clk", "ap_rst_n")]
    for prefix, widths in (("s_axis", inputs), ("m_axis", outputs)):
        for signal in ("tdata", "tvalid", "tready"):
            streams = ", ".join(f"{prefix}_{i}_{signal}" for i in reversed(range(len(widths))))
            connected.append(f".{prefix}_{signal}({{{streams}}})")
    passed = [f".{name}({name})" for name in (*files, *integers)]
    return (
        f"// {core} with one port per stream.\n"
        "`default_nettype none\n\n"
        f"module {module} #(\n{_listing(declared, 4)}\n) (\n{_listing(ports, 4)}\n);\n"
        f"  {core} #(\n{_listing(passed, 6)}\n  ) engine (\n{_listing(connected, 6)}\n  );\n"
        "endmodule\n\n"
        "`default_nettype wire\n"
    )


def _listing(items: Sequence[str], indent: int) -> str:
    return ",\n".join(" " * indent + item for item in items)
