"""Cells by Yosys and cycles by Verilator, the same for everybody."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.layer import Integers
from sephw.backends.rtl import RtlRun, compile_project
from sephw.ir import Resources
from sephw.synth.count import count
from sephw.synth.recipes import engine_script
from sephw.synth.synthesize import NETLISTS
from sephw.technologies import ECP5, XC7, Technology
from sephw.tools.file_cache import FileCache
from sephw.tools.yosys import run_yosys_logged, yosys_version

TECHNOLOGIES = (ECP5, XC7)
_TIMEOUT_SECONDS = 7200.0


@dataclass(frozen=True)
class Design:
    """Sources of a design: text by file name, in the order in which they are read.

    ``memories``: files that the sources name in ``$readmemh``. ``slang``: read by Yosys's slang
    front end, for sources that its own Verilog reader does not take. ``dsp``: False for
    multiplications in logic.
    """

    top: str
    sources: Mapping[str, str]
    memories: Mapping[str, str]
    slang: bool = False
    dsp: bool = True

    def script(self, technology: Technology) -> str:
        """The Yosys script: the front end differs where it must, the synthesis never does."""
        script = engine_script(technology, list(self.sources), self.top, dsp=self.dsp)
        if not self.slang:
            return script
        own, rest = script.split("; ", 1)
        files = " ".join(self.sources)
        return f"read_slang --threads 1 --top {self.top} -DSYNTHESIS {files}; {rest}"


def cells(design: Design, technology: Technology, work: Path) -> Resources:
    """Resources of a design; log in ``work``/yosys.log. Netlists are kept in the user's cache."""
    script = design.script(technology)
    content = [design.top, list(design.sources.items()), sorted(design.memories.items())]
    text = json.dumps([content, script, yosys_version("peers")])
    key = f"peer-{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    cache = FileCache.of_user(NETLISTS)
    work.mkdir(parents=True, exist_ok=True)
    netlist = work / f"{technology.name}.json"
    if not cache.fetch(key, netlist):
        with tempfile.TemporaryDirectory(dir=work) as made:
            folder = Path(made)
            for name, source in {**design.sources, **design.memories}.items():
                (folder / name).write_text(source, encoding="utf-8")
            run_yosys_logged(
                script,
                folder,
                log=work / f"{technology.name}.log",
                purpose=f"synthesis of '{design.top}'",
                timeout_seconds=_TIMEOUT_SECONDS,
            )
            shutil.move(folder / "netlist.json", netlist)
        cache.keep(key, netlist)
    (module,) = json.loads(netlist.read_text(encoding="utf-8"))["modules"].values()
    netlist.unlink()
    return count(technology, module["cells"].values())


def play(project: Path, images: Integers) -> RtlRun:
    """Simulate an RTL project on images, source and sink always ready."""
    return compile_project(project).run(images, quiet_limit_cycles=10_000_000)


def frame_interval(pops: Integers, frames: int) -> int:
    """Cycles between the ends of the last two images, from the cycles of all beats."""
    ends = pops.reshape(frames, -1)[:, -1]
    return int(ends[-1] - ends[-2])


def wrong(found: Integers, expected: Integers) -> int:
    """Integers that differ."""
    return int(np.count_nonzero(found != expected))


def total(parts: Sequence[Resources]) -> Resources:
    """Sum of resources."""
    return sum(parts, Resources())
