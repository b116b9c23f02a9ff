"""Out-of-context synthesis of an engine: the input for Yosys, and the cache key of its netlist."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sephw.backends.rtl.project import memory_text
from sephw.errors import SephwError
from sephw.ir import FifoMemory, Folding, Graph, Node, Operator
from sephw.rtl.hierarchy import sources_of


@dataclass(frozen=True)
class Engine:
    """A module with all that it depends on; equal engines have equal netlists.

    ``parameters`` and ``memories`` (parameter, text of the file) as the module takes them,
    ``ports`` as (direction, bits, name), ``sources`` by file name. ``dsp``: False where
    multiplications must not take DSP blocks. ``fifos_in_blocks``: True where output FIFOs must be
    in block RAM.
    """

    module: str
    parameters: tuple[tuple[str, int], ...]
    memories: tuple[tuple[str, str], ...]
    ports: tuple[tuple[str, int, str], ...]
    sources: tuple[tuple[str, str], ...]
    dsp: bool
    fifos_in_blocks: bool = False

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """All parameters that an instance of the module is given."""
        return tuple(name for name, _ in (*self.parameters, *self.memories))

    def key(self, *context: str) -> str:
        """Hexadecimal digest of the engine and ``context`` (tool version, script)."""
        content = [
            self.module,
            self.parameters,
            self.memories,
            self.ports,
            sorted(self.sources),
            self.dsp,
            context,
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]

    def wrapper(self, name: str) -> str:
        """SystemVerilog of a module ``name`` without parameters that holds the engine."""
        values = [(key, str(value)) for key, value in self.parameters]
        values += [(key, f'"{memory_file(i)}"') for i, (key, _) in enumerate(self.memories)]
        ports = [
            f"    {direction} wire [{bits - 1}:0] {port}"
            if bits > 1
            else f"    {direction} wire {port}"
            for direction, bits, port in self.ports
        ]
        return "\n".join(
            [
                f"module {name} (",
                ",\n".join(ports),
                ");",
                f"  {self.module} #(",
                ",\n".join(f"      .{key}({value})" for key, value in values),
                "  ) engine (",
                ",\n".join(f"      .{port}({port})" for _, _, port in self.ports),
                "  );",
                "endmodule",
                "",
            ]
        )

    def write(self, directory: Path, name: str) -> tuple[str, ...]:
        """Write everything to ``directory``; names of the sources, the wrapper last."""
        directory.mkdir(parents=True, exist_ok=True)
        for i, (_, text) in enumerate(self.memories):
            (directory / memory_file(i)).write_text(text, encoding="ascii")
        for file, text in (*self.sources, (f"{name}.sv", self.wrapper(name))):
            (directory / file).write_text(text, encoding="utf-8")
        return (*(file for file, _ in self.sources), f"{name}.sv")


def memory_file(index: int) -> str:
    """Name of an engine's memory file: the same for equal engines of any project."""
    return f"memory_{index}.mem"


def engine_of(
    operator: Operator, folding: Folding, fifo_depths: Sequence[int], where: str = ""
) -> Engine:
    """The engine of an operator; ``fifo_depths`` in beats, by output.

    Raises SephwError, starting with ``where``, for a folding without an engine.
    """
    outputs = operator.output_streams(folding)
    if len(fifo_depths) != len(outputs):
        raise SephwError(
            f"{where or operator.kind}: {len(fifo_depths)} FIFO depths for {len(outputs)} "
            "outputs; give one each"
        )
    try:
        instance = operator.rtl(folding)
    except SephwError as error:
        raise SephwError(f"{where}: {error}" if where else str(error)) from None
    ports = [("input", 1, "ap_clk"), ("input", 1, "ap_rst_n")]
    for prefix, streams, forward, back in (
        ("s_axis", operator.input_streams(folding), "input", "output"),
        ("m_axis", outputs, "output", "input"),
    ):
        for i, stream in enumerate(streams):
            ports.append((forward, stream.width_bits, f"{prefix}_{i}_tdata"))
            ports.append((forward, 1, f"{prefix}_{i}_tvalid"))
            ports.append((back, 1, f"{prefix}_{i}_tready"))
    depths = [(f"FIFO_DEPTH_{i}", depth) for i, depth in enumerate(fifo_depths)]
    return Engine(
        module=instance.module,
        parameters=(*instance.parameters, *depths),
        memories=tuple((m.parameter, memory_text(m)) for m in instance.memories),
        ports=tuple(ports),
        sources=tuple(sources_of((instance.module,), dict(instance.generated)).items()),
        dsp=instance.multiplies_in_dsp,
    )


def engine_of_node(graph: Graph, node: Node, name: str, project: Path) -> Engine:
    """The engine of a node, its sources and memories as they stand in the RTL ``project``.

    ``name`` is the engine's in the project. Raises SephwError naming a file that is missing.
    """
    depths = [graph.tensors[tensor].fifo_depth for tensor in node.outputs]
    engine = engine_of(node.operator, node.folding, depths, node.where)
    try:
        sources = tuple((file, (project / file).read_text("utf-8")) for file, _ in engine.sources)
        memories = tuple(
            (parameter, (project / _project_memory(name, parameter)).read_text("ascii"))
            for parameter, _ in engine.memories
        )
    except (OSError, UnicodeDecodeError) as error:
        file = Path(getattr(error, "filename", None) or "a source").name
        raise SephwError(
            f"RTL project '{project}': {file} cannot be read; export the model again"
        ) from None
    blocks = {graph.tensors[t].fifo_memory for t in node.outputs} == {FifoMemory.BLOCK}
    return replace(engine, sources=sources, memories=memories, fifos_in_blocks=blocks)


def _project_memory(engine: str, parameter: str) -> str:
    return f"{engine}_{parameter.removesuffix('_FILE').lower()}.mem"
