"""The summary of a run of the flow for a person."""

from __future__ import annotations

from pathlib import Path

from sephw.export_names import SYNTHESIS
from sephw.ir import Resources
from sephw.synth.record import NO_ROUTE, SynthesisRun, used_and_available
from sephw.synth.route import RoutedDesign
from sephw.synth.timing import describe

_ENGINES = 10


def summary(run: SynthesisRun, out: Path, next_command: str) -> str:
    """Lines: resources, clocks, worst path, largest engines, tools, files, what to do next.

    ``out``: the folder of synth.json as a person calls it; ``next_command``: "" for none.
    """
    synthesis, routed = run.synthesis, run.routed
    where = run.device.name if run.target is None else run.target.board
    part = run.device.part if routed is None else routed.part
    lines = [f"{run.graph.name} on {where} ({part}), top {run.top}"]
    used, source, available = synthesis.total, "synthesized", run.device.available
    if routed is not None:
        used, source, available = routed.used, "routed", routed.available
    for name, count, limit in used_and_available(used, available):
        share = f"{count / limit:7.1%}" if limit else "       "
        lines.append(f"  {name:<9} {count:9,} of {limit:7,} {share}  [{source}]")
    if routed is None:
        if not run.device.routable:
            lines.append(f"  note      {NO_ROUTE}")
        else:
            lines.append("  note      not routed: no clock, no bitstream")
    else:
        for name, mhz in routed.fmax_mhz.items():
            lines.append(f"  clock     {name}: {mhz:g} MHz [routed]{_requested(run, routed, name)}")
        if routed.worst_path is not None:
            lines.append(f"  path      {describe(routed.worst_path)}")
    lines += _engines(run)
    lines.append(f"  tools     {_tools(run)}")
    lines.append(f"  files     {out}: {', '.join(_files(run))}")
    if next_command:
        lines.append(f"  next      {next_command}")
    return "\n".join(lines)


def _requested(run: SynthesisRun, routed: RoutedDesign, clock: str) -> str:
    if run.target is not None:
        return f", the board runs at {routed.constraint_mhz[clock]:g} MHz"
    return "" if run.requested_mhz is None else f", {run.requested_mhz:g} MHz asked for"


def _engines(run: SynthesisRun) -> list[str]:
    """The engines with the most LUTs, and the logic outside of engines."""
    engines = run.synthesis.engines
    first = sorted(engines, key=lambda name: (-engines[name].lut, name))[:_ENGINES]
    rows = [(name, engines[name]) for name in first]
    rest = [count for name, count in engines.items() if name not in first]
    if rest:
        rows.append((f"{len(rest)} more", sum(rest, Resources())))
    rows += [("outside of engines", run.synthesis.glue), ("total", run.synthesis.total)]
    width = max(len(name) for name, _ in rows)
    head = f"  engines   {'by Yosys':<{width}}     LUT      FF  BRAM  DSP  [synthesized]"
    return [
        head,
        *(
            f"            {name:<{width}} {r.lut:7,} {r.ff:7,} {r.bram:5,} {r.dsp:4,}"
            for name, r in rows
        ),
    ]


def _tools(run: SynthesisRun) -> str:
    tools = [f"Yosys {run.synthesis.yosys_version}"]
    if run.routed is not None:
        tools.append(f"nextpnr {run.routed.version}")
    seconds = ", ".join(f"{step} {value:.0f} s" for step, value in run.seconds.items())
    return f"{', '.join(tools)}; {seconds}"


def _files(run: SynthesisRun) -> list[str]:
    made = [run.bitstream.name] if run.bitstream is not None else []
    return [SYNTHESIS, run.synthesis.netlist.name, *made, "logs/"]
