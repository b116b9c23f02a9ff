"""Yosys, nextpnr and the packers as small scripts: what they do is written in a plan."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sephw.synth import packing
from sephw.tools import nextpnr, yosys

YOSYS = """
import json, pathlib, re, sys, time
here = pathlib.Path(__file__).parent
plan = json.loads((here / "plan.json").read_text())
if "--version" in sys.argv:
    print("Yosys 9.9 (git sha1 0123abc)")
    sys.exit(0)
script = pathlib.Path("script.ys").read_text()
top = re.search(r"select (\\w+)\\s*(?:;|\\n)", script)[1]
linking = "blackbox" in script
with open(here / "calls", "a") as calls:
    calls.write(("link" if linking else "engine") + "\\n")
log = pathlib.Path(sys.argv[sys.argv.index("-l") + 1])
log.write_text("Yosys was here\\n")
if plan.get("yosys") == "hang":
    time.sleep(600)
if plan.get("yosys") == "fail":
    log.write_text("Yosys was here\\nERROR: Module `x' is missing\\n")
    sys.exit(1)
if plan.get("yosys") == "killed":
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
instances = re.findall(r"setparam -type \\w+ .*/(\\w+)\\n", script) if linking else ["engine"]
cells = {f"network.{name}.cell_{i}": {"type": "LUT4"}
         for name in instances for i in range(plan.get("luts", 3))}
if linking:
    cells["glue"] = {"type": "TRELLIS_FF"}
module = {"ports": {}, "cells": cells}
pathlib.Path("netlist.json").write_text(json.dumps({"modules": {top: module}}))
"""

NEXTPNR = """
import json, pathlib, sys, time
here = pathlib.Path(__file__).parent
plan = json.loads((here / "plan.json").read_text())
if "--version" in sys.argv:
    print('"nextpnr" -- Next Generation Place and Route (Version nextpnr-7.7)')
    sys.exit(0)
argument = lambda name: sys.argv[sys.argv.index(name) + 1]
with open(here / "calls", "a") as calls:
    calls.write(f"route {argument('--freq')} seed {argument('--seed')}\\n")
number = sum(line.startswith("route") for line in (here / "calls").read_text().splitlines())
print("Info: Packing constants..")
if plan.get("nextpnr") == "hang":
    time.sleep(600)
if plan.get("nextpnr") == "crash" or (
    plan.get("nextpnr") == "no static placer" and "static" in sys.argv
):
    print("ERROR: something in the router broke")
    sys.exit(1)
if plan.get("nextpnr") == "full":
    print("Info: Device utilisation:")
    print("Info: \\t        TRELLIS_COMB:   24500/  24288   100%")
    print("ERROR: Unable to place cell 'x', no BELs remaining")
    sys.exit(1)
by_seed = plan.get("by_seed", {})
fmax = by_seed.get(argument("--seed")) or plan["fmax"][min(number, len(plan["fmax"])) - 1]
clock = "$glbnet$beat.clk"
cells = [plan.get("slow", "network.x"), "link.y"]
path = [{"type": "clk-to-q", "delay": 1.0, "from": {"cell": cells[0]}, "to": {"cell": cells[0]}},
        {"type": "routing", "delay": 2.0, "from": {"cell": cells[0]}, "to": {"cell": cells[1]}},
        {"type": "setup", "delay": 0.5, "from": {"cell": cells[1]}, "to": {"cell": cells[1]}}]
report = {"fmax": {clock: {"achieved": fmax, "constraint": float(argument("--freq"))}},
          "utilization": {"TRELLIS_COMB": {"used": 20, "available": 24288},
                          "TRELLIS_FF": {"used": 1, "available": 24288},
                          "DP16KD": {"used": 0, "available": 56},
                          "MULT18X18D": {"used": 0, "available": 28}},
          "critical_paths": [{"from": f"posedge {clock}", "to": f"posedge {clock}", "path": path}]}
configuration = f"routed with seed {argument('--seed')}"
if "--lpf" in sys.argv:
    # A board: the oscillator's own clock, and a PLL as Project Trellis writes it.
    report["fmax"]["$glbnet$clk_in$TRELLIS_IO_IN"] = {
        "achieved": plan.get("uart", 240.0), "constraint": 25.0}
    words = "".join(f"word: {name} 0000000\\n" for name in (
        "CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV", "CLKOP_CPHASE", "CLKOS_DIV", "CLKOS_CPHASE"))
    configuration += f"\\n\\n.tile_group A:PLL0_LL B:BANKREF8\\n{words}enum: MODE EHXPLLL\\n\\n"
    configuration += ".tile_group C:PLL0_LR D:BANKREF3\\nword: CLKI_DIV 1111111\\n\\n"
pathlib.Path("report.json").write_text(json.dumps(report))
pathlib.Path(argument("--textcfg")).write_text(configuration)
"""

PACKER = """
import pathlib, sys
pathlib.Path(sys.argv[-1]).write_text("packed: " + pathlib.Path(sys.argv[-2]).read_text())
"""


class FakeTools:
    """Replaces the tools of the ECP5 flow; ``plan`` is read by each run."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self._folder = folder
        folder.mkdir()
        command = {}
        for name, text in (("yosys", YOSYS), ("nextpnr", NEXTPNR), ("packer", PACKER)):
            (folder / f"{name}.py").write_text(text)
            command[name] = [sys.executable, "-I", "-S", "-u", str(folder / f"{name}.py")]
        self.plan(fmax=[1000.0])
        monkeypatch.setattr(yosys, "find_yosys", lambda purpose: tuple(command["yosys"]))
        monkeypatch.setattr(nextpnr, "find_nextpnr", lambda tool, purpose: command["nextpnr"])
        monkeypatch.setattr(packing, "find_tool", lambda *_, plain: command["packer"])
        forget_versions()
        assert yosys.yosys_version("test") == "9.9 (git sha1 0123abc)"

    def plan(self, **values) -> None:
        """What the tools do from now on."""
        (self._folder / "plan.json").write_text(json.dumps(values))

    def calls(self) -> list[str]:
        """What ran, one line each: engine, link, or route CLOCK seed SEED."""
        file = self._folder / "calls"
        return file.read_text().splitlines() if file.exists() else []


def forget_versions() -> None:
    """Versions are asked for once per process."""
    yosys.yosys_version.cache_clear()
    nextpnr.nextpnr_version.cache_clear()
