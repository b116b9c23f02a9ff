"""Yosys scripts: an engine out of context, and engines linked with a top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from sephw.technologies import RECIPE, Technology

# Between reading the cells and the technology's other passes: those leave multiplexers and
# constants of the flattened engine that the full optimisation removes (figures in
# docs/synthesis.md).
_SIMPLIFY = ("proc", "flatten", "opt_expr", "opt_clean", "opt -full")
# Of ABC's scripts the one that gives the smallest engines.
_ABC_SCRIPT = "scratchpad -copy abc9.script.flow3 abc9.script"


def engine_script(
    technology: Technology,
    files: Sequence[str],
    top: str,
    *,
    dsp: bool,
    fifos_in_blocks: bool = False,
) -> str:
    """Synthesizes an engine without its surroundings; writes ``netlist.json``."""
    recipe = technology.require(RECIPE)
    command = recipe.synthesis(top, dsp=dsp, pads=False)
    macros = (
        recipe.define,
        recipe.dsp_define if dsp else "",
        "SEPHW_FIFOS_IN_BLOCKS" if fifos_in_blocks else "",
    )
    defines = [f"-D {macro}=1" for macro in macros if macro]
    return "; ".join(
        (
            " ".join(("read_verilog -sv -defer", *defines, *files)),
            _ABC_SCRIPT,
            f"{command} -run begin:{recipe.second}",
            *_SIMPLIFY,
            f"{command} -run {recipe.second}:",
            "delete t:$scopeinfo",
            "setattr -unset src *",
            "setattr -mod -unset src *",
            # The technology's own cells are known to whoever reads the netlist.
            f"select {top}",
            "write_json -selected netlist.json",
        )
    )


@dataclass(frozen=True)
class Placed:
    """An instance of the network's top whose engine has a netlist: the module of that name."""

    instance: str
    module: str
    parameters: tuple[str, ...]


def link_script(
    technology: Technology,
    network: str,
    instances: Sequence[Placed],
    top: str,
    top_files: Sequence[PurePath],
    macros: Sequence[str] = (),
) -> str:
    """Joins the network's top, further top files and the engines; writes ``netlist.json``.

    ``network`` is the module of ``{network}.sv``; ``macros`` are defined for it. Engines are boxes
    while the rest is synthesized, so that their netlists stay as they are. Every name is of the
    current folder.
    """
    recipe = technology.require(RECIPE)
    modules = sorted({instance.module for instance in instances})
    netlists = [f"read_json engines/{module}.json" for module in modules]
    name = recipe.top or top
    defines = [f"-D {macro}=1" for macro in macros]
    lines = [" ".join(("read_verilog -sv", *defines, f"{network}.sv"))]
    for instance in instances:
        cell = f"{network}/{instance.instance}"
        unset = " ".join(f"-unset {name}" for name in instance.parameters)
        lines.append(f"setparam -type {instance.module} {unset} {cell}")
    lines += [
        *(f"read_verilog -sv {file}" for file in top_files),
        *netlists,
        f"blackbox {' '.join(modules)}",
        # The glue holds no multiplications.
        recipe.synthesis(top, dsp=True, pads=True),
        f"delete {' '.join(f'={module}' for module in modules)}",
        *netlists,
        f"hierarchy -top {top}",
        "flatten",
        "opt_clean",
        "delete t:$scopeinfo",
        "setattr -unset src *",
        "setattr -mod -unset src *",
        *([f"rename {top} {name}"] if top != name else []),
        f"select {name}",
        "write_json -selected netlist.json",
    ]
    return "\n".join((*lines, ""))
