"""Synthesis by Yosys: engine by engine, then one linked netlist of the whole design."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from sephw.backends.layout import lay_out
from sephw.errors import SephwError
from sephw.ir import Folding, Graph, Operator, Resources
from sephw.synth.count import Cell, count, count_engines
from sephw.synth.engine import Engine, engine_of, engine_of_node
from sephw.synth.recipes import Placed, engine_script, link_script
from sephw.technologies import Technology
from sephw.tools.file_cache import FileCache
from sephw.tools.yosys import run_yosys_logged, yosys_version

_PURPOSE = "synthesis"
# Raise it where the same engine must be synthesized anew: another recipe of the wrapper.
_FORMAT = "1"
_ENGINE_TOP = "engine"
NETLISTS = "netlists"
"""The user's cache of netlists."""


@dataclass(frozen=True)
class Synthesis:
    """A synthesized project.

    ``top``: the module that holds all. ``engines`` by node name; ``glue``: what lies in none of
    them; ``total``: their sum. ``instances``: the engine's instance name by node name, a component
    of the names of its cells in ``netlist`` (Yosys JSON, flat). ``runs``: how many engines Yosys
    synthesized now, the others came from the cache; ``engine_logs``: a folder with their logs.
    """

    engines: Mapping[str, Resources]
    glue: Resources
    total: Resources
    netlist: Path
    log: Path
    yosys_version: str
    technology: Technology
    instances: Mapping[str, str]
    runs: int
    top: str
    engine_logs: Path


@dataclass(frozen=True)
class Top:
    """A module around the network's, what it is made of, and macros that are defined for it."""

    module: str
    sources: Sequence[Path]
    macros: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class SynthesisSettings:
    """The settings of a synthesis. ``timeout_seconds`` is for each run of Yosys.

    ``jobs`` engines at a time (None: as many as there are processors), kept in ``cache`` (None:
    the user's). ``dsp`` False: the device has no DSP blocks, so that multiplications take logic
    whatever the foldings say.
    """

    timeout_seconds: float
    jobs: int | None = None
    cache: FileCache | None = None
    dsp: bool = True


def synthesize(
    project: Path,
    graph: Graph,
    technology: Technology,
    work: Path,
    settings: SynthesisSettings,
    *,
    progress: Callable[[str], None],
    top: Top | None = None,
) -> Synthesis:
    """Synthesize the RTL ``project`` of ``graph``; everything is written below ``work``.

    ``top`` (None: the network's own top module) and what lies around the engines are synthesized
    as one; distinct engines once each. FIFOs are in block RAM where ``graph`` says so. Raises
    SephwError where Yosys is missing, fails or takes too long, naming its log.
    """
    version = yosys_version(_PURPOSE)
    kept = settings.cache if settings.cache is not None else FileCache.of_user(NETLISTS)
    layout = lay_out(graph)
    engines = {
        node.name: engine_of_node(graph, node, layout.engines[node.name], project)
        for node in graph.nodes
    }
    if not settings.dsp:
        engines = {name: replace(engine, dsp=False) for name, engine in engines.items()}
    keys = {name: _key(engine, technology, version) for name, engine in engines.items()}
    modules = {name: f"engine_{key}" for name, key in keys.items()}
    link = work / "link"
    netlists, logs = link / "engines", work / "engines"
    shutil.rmtree(link, ignore_errors=True)
    netlists.mkdir(parents=True)
    logs.mkdir(exist_ok=True)
    distinct = {modules[name]: name for name in engines}
    missing = [
        (module, name)
        for module, name in distinct.items()
        if not kept.fetch(keys[name], netlists / f"{module}.json")
    ]
    progress(f"{len(engines)} engines, {len(distinct)} distinct, {len(missing)} to synthesize")
    cancelled = threading.Event()

    def run_one(module: str, name: str) -> str:
        netlist = netlists / f"{module}.json"
        log = logs / f"{layout.engines[name]}.log"
        _run_engine(
            engines[name], technology, netlist, log, name, settings.timeout_seconds, cancelled
        )
        kept.keep(keys[name], netlist)
        return name

    _run_all(run_one, missing, settings.jobs or os.cpu_count() or 1, cancelled, progress)
    for module in distinct:
        _rename(netlists / f"{module}.json", module)
    log = work / "link.log"
    progress("linking the engines")
    top_files = [_copy_source(path, link) for path in (() if top is None else top.sources)]
    source = project / f"{layout.project}.sv"
    _copy_source(source, link)
    top_module = layout.project if top is None else top.module
    placed = [
        Placed(layout.engines[name], modules[name], engine.parameter_names)
        for name, engine in engines.items()
    ]
    script = link_script(
        technology, layout.project, placed, top_module, top_files, () if top is None else top.macros
    )
    run_yosys_logged(
        script, link, log=log, purpose=_PURPOSE, timeout_seconds=settings.timeout_seconds
    )
    netlist = work / "netlist.json"
    (link / "netlist.json").replace(netlist)
    shutil.rmtree(link)
    found, glue = count_engines(technology, _cells(netlist), layout.engines.values())
    by_node = {name: found[layout.engines[name]] for name in engines}
    return Synthesis(
        engines=by_node,
        glue=glue,
        total=sum(by_node.values(), glue),
        netlist=netlist,
        log=log,
        yosys_version=version,
        technology=technology,
        instances=dict(layout.engines),
        runs=len(missing),
        top=top_module,
        engine_logs=logs,
    )


def synthesize_operator(
    operator: Operator,
    folding: Folding,
    technology: Technology,
    *,
    fifo_depths: Sequence[int],
    work: Path,
    timeout_seconds: float = 1800,
    cache: FileCache | None = None,
    fifos_in_blocks: bool = False,
) -> Resources:
    """Resources of one engine by itself, from the same cache as those of projects.

    ``fifo_depths`` in beats, by output; ``fifos_in_blocks``: these are in block RAM; the log goes
    to ``work``/yosys.log. Raises SephwError as `synthesize` does, and for a folding without an
    engine.
    """
    kept = cache if cache is not None else FileCache.of_user(NETLISTS)
    engine = replace(engine_of(operator, folding, fifo_depths), fifos_in_blocks=fifos_in_blocks)
    key = _key(engine, technology, yosys_version(_PURPOSE))
    work.mkdir(parents=True, exist_ok=True)
    netlist = work / "netlist.json"
    if not kept.fetch(key, netlist):
        _run_engine(
            engine, technology, netlist, work / "yosys.log", operator.kind, timeout_seconds, None
        )
        kept.keep(key, netlist)
    return count(technology, _cells(netlist).values())


def _key(engine: Engine, technology: Technology, version: str) -> str:
    files = [name for name, _ in engine.sources]
    return engine.key(_FORMAT, version, _script(engine, technology, files))


def _script(engine: Engine, technology: Technology, files: Sequence[str]) -> str:
    return engine_script(
        technology, files, _ENGINE_TOP, dsp=engine.dsp, fifos_in_blocks=engine.fifos_in_blocks
    )


def _run_engine(
    engine: Engine,
    technology: Technology,
    netlist: Path,
    log: Path,
    name: str,
    timeout_seconds: float,
    cancelled: threading.Event | None,
) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=log.parent) as made:
        folder = Path(made)
        files = engine.write(folder, _ENGINE_TOP)
        run_yosys_logged(
            _script(engine, technology, files),
            folder,
            log=log,
            purpose=f"{_PURPOSE} of '{name}'",
            timeout_seconds=timeout_seconds,
            cancelled=cancelled,
        )
        (folder / "netlist.json").replace(netlist)


def _run_all(
    run_one: Callable[[str, str], str],
    missing: Sequence[tuple[str, str]],
    jobs: int,
    cancelled: threading.Event,
    progress: Callable[[str], None],
) -> None:
    """Run all jobs; where one fails or the user interrupts, stop the others first."""
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run_one, *pair) for pair in missing]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                progress(f"{future.result()} ({done} of {len(futures)})")
        except BaseException:
            cancelled.set()
            pool.shutdown(cancel_futures=True)
            raise


def _rename(netlist: Path, module: str) -> None:
    """Give the one module of an engine's netlist its name in the link."""
    content = json.loads(netlist.read_text(encoding="utf-8"))
    content["modules"] = {module: content["modules"][_ENGINE_TOP]}
    netlist.write_text(json.dumps(content), encoding="utf-8")


def _copy_source(path: Path, folder: Path) -> PurePath:
    """Copy a source to ``folder``: the tool sees nothing outside it."""
    try:
        shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise SephwError(
            f"'{path}' cannot be read ({error.strerror}); export the model again"
        ) from None
    return PurePath(path.name)


def _cells(netlist: Path) -> Mapping[str, Cell]:
    """The cells of a netlist of one module."""
    content: dict[str, Any] = json.loads(netlist.read_text(encoding="utf-8"))
    (module,) = content["modules"].values()
    cells: Mapping[str, Cell] = module["cells"]
    return cells
