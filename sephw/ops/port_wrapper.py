"""SystemVerilog of a module that gives every stream of an RTL core a numbered AXI-Stream port.

A network's top connects engines by ``s_axis_<i>_t*`` and ``m_axis_<i>_t*``. Cores in rtl/ serve
several engines or any number of streams, which SystemVerilog's ports cannot: a wrapper of the
engine's own stands between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Setting = tuple[str, str]


@dataclass(frozen=True)
class StreamPort:
    """One AXI-Stream port of a wrapper.

    ``width``: bits of tdata, a number or an expression of the wrapper's parameters. ``core``: what
    the names of the core's ports begin with; streams of one such name share its ports as a vector,
    the first one in the low bits.
    """

    width: str
    core: str


@dataclass(frozen=True)
class PortWrapper:
    """A module around one instance of ``core``.

    ``about``: lines of the comment. ``files`` are string parameters, ``parameters`` integers with
    their defaults; ``FIFO_DEPTH_<output>`` comes with each output. ``settings``: (parameter of the
    core, expression of the module's). ``unused_inputs``: streams of the core, by the beginning of
    their names, that never bring a beat. ``wires``: (name, bits) of further ports of the core,
    which ``body``, text inside the module, connects.
    """

    module: str
    core: str
    about: tuple[str, ...]
    inputs: tuple[StreamPort, ...]
    outputs: tuple[StreamPort, ...]
    settings: tuple[Setting, ...]
    parameters: tuple[tuple[str, int], ...] = ()
    files: tuple[str, ...] = ()
    unused_inputs: tuple[str, ...] = ()
    clock: str = "clk"
    reset: str = "rst_n"
    wires: tuple[tuple[str, int], ...] = ()
    body: str = ""

    @property
    def source(self) -> tuple[str, str]:
        """(file name, text), as `RtlInstance.generated` takes it."""
        return f"{self.module}.sv", self._text()

    def _text(self) -> str:
        wires = "".join(f"  wire {_range(str(bits))}{name};\n" for name, bits in self.wires)
        settings = [f".{name}({value})" for name, value in self.settings]
        return (
            "".join(f"// {line}".rstrip() + "\n" for line in self.about)
            + "`default_nettype none\n\n"
            + f"module {self.module} #(\n{_listing(self._declared(), 4)}\n) (\n"
            + f"{_listing(self._ports(), 4)}\n);\n"
            + f"{wires}\n" * bool(wires)
            + f"  {self.core} #(\n{_listing(settings, 6)}\n  ) engine (\n"
            + f"{_listing(self._connections(), 6)}\n  );\n"
            + f"\n{self.body}\n" * bool(self.body)
            + "endmodule\n\n`default_nettype wire\n"
        )

    def _declared(self) -> list[str]:
        depths = [(f"FIFO_DEPTH_{i}", 1) for i in range(len(self.outputs))]
        return [
            *(f'parameter {name} = ""' for name in self.files),
            *(f"parameter int {name} = {value}" for name, value in (*self.parameters, *depths)),
        ]

    def _ports(self) -> list[str]:
        ports = ["input  wire ap_clk", "input  wire ap_rst_n"]
        for prefix, streams, forward, backward in (
            ("s_axis", self.inputs, "input ", "output"),
            ("m_axis", self.outputs, "output", "input "),
        ):
            for i, stream in enumerate(streams):
                ports += [
                    f"{forward} wire {_range(stream.width, always=True)}{prefix}_{i}_tdata",
                    f"{forward} wire {prefix}_{i}_tvalid",
                    f"{backward} wire {prefix}_{i}_tready",
                ]
        return ports

    def _connections(self) -> list[str]:
        connected = [f".{self.clock}(ap_clk)", f".{self.reset}(ap_rst_n)"]
        for prefix, streams in (("s_axis", self.inputs), ("m_axis", self.outputs)):
            for core in dict.fromkeys(stream.core for stream in streams):
                numbers = [i for i, stream in enumerate(streams) if stream.core == core]
                for signal in ("tdata", "tvalid", "tready"):
                    ends = ", ".join(f"{prefix}_{i}_{signal}" for i in reversed(numbers))
                    connected.append(f".{core}_{signal}({{{ends}}})")
        for core in self.unused_inputs:
            connected += [
                f".{core}_tdata('0)",
                f".{core}_tvalid(1'b0)",
                "/* verilator lint_off PINCONNECTEMPTY */\n"
                f"      .{core}_tready()\n"
                "      /* verilator lint_on PINCONNECTEMPTY */",
            ]
        return [*connected, *(f".{name}({name})" for name, _ in self.wires)]


def by_name(names: Iterable[str]) -> tuple[Setting, ...]:
    """Settings of a core whose parameters have the names of the wrapper's."""
    return tuple((name, name) for name in names)


def numbered_ports(
    module: str,
    core: str,
    *,
    parameters: Sequence[str],
    files: Sequence[str] = (),
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> PortWrapper:
    """A wrapper of ``core`` with any number of streams, whose parameters go to it by their names.

    ``inputs`` and ``outputs`` are the widths of the streams, which the core has as one vector each,
    ``s_axis_t*`` and ``m_axis_t*``.
    """
    depths = [f"FIFO_DEPTH_{i}" for i in range(len(outputs))]
    return PortWrapper(
        module,
        core,
        about=(f"{core} with one port per stream.",),
        inputs=tuple(StreamPort(width, "s_axis") for width in inputs),
        outputs=tuple(StreamPort(width, "m_axis") for width in outputs),
        settings=by_name((*files, *parameters, *depths)),
        parameters=tuple((name, 1) for name in parameters),
        files=tuple(files),
        clock="ap_clk",
        reset="ap_rst_n",
    )


def _range(width: str, *, always: bool = False) -> str:
    """The range of a vector, with a space behind it; none for one bit unless ``always``."""
    if not width.isdigit():
        return f"[{width}-1:0] "
    return f"[{int(width) - 1}:0] " if always or int(width) > 1 else ""


def _listing(items: Sequence[str], indent: int) -> str:
    return ",\n".join(" " * indent + item for item in items)
