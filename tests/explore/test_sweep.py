"""Synthesis runs side by side: in this process, on a cluster by address, with failures."""

import sys
import time
from dataclasses import replace

import pytest
from small_graphs import chain

from sephw.backends.rtl.project import FILE_LIST
from sephw.errors import SephwError
from sephw.explore import device_goal, pareto, sweep
from sephw.explore.exploration import ExplorationSettings, explore_graph
from sephw.explore.sweep import SynthesisJob, SynthesisResult, synthesize_many
from sephw.ir import Folding, Graph
from sephw.ir.resources import Resources
from sephw.ir.serialize import graph_digest
from sephw.ops import Select, WeightPlace
from sephw.passes import FoldingFile, lower
from sephw.passes.choose_fifo_memories import with_fifos_in_blocks
from sephw.progress import Progress
from sephw.targets import find_device


def job(name: str, frame_cycles: int = 500) -> SynthesisJob:
    graph = lower(chain(4), FoldingFile({}, frame_cycles))
    return SynthesisJob.from_graph(name, graph, find_device("ecp5-25f"))


def slowest(graph: Graph) -> int:
    return max(n.operator.frame_cycles(n.folding) for n in graph.nodes)


def engines(job: SynthesisJob) -> SynthesisResult:
    """Stands for synthesis: as many LUTs as engines, the frame's cycles; fails or waits by name."""
    if job.name == "bad":
        raise SephwError("synthesis of 'x' failed: see x.log")
    if job.name == "worse":
        raise RuntimeError("out of\n memory")
    if job.name == "slow":
        time.sleep(0.3)
    graph = job.load()
    return SynthesisResult(job.name, Resources(lut=len(graph.nodes), ff=slowest(graph)))


def check(results: list[SynthesisResult]) -> None:
    assert [r.name for r in results] == ["slow", "bad", "fast", "worse"]
    assert [r.error for r in results] == [
        "",
        "synthesis of 'x' failed: see x.log",
        "",
        "RuntimeError: out of memory",
    ]
    graphs = [job("slow", 3000).load(), job("fast", 500).load()]
    assert [results[0].total, results[2].total] == [
        Resources(lut=len(g.nodes), ff=slowest(g)) for g in graphs
    ]
    assert results[0].total != results[2].total


JOBS = ("slow", "bad", "fast", "worse")


def jobs() -> list[SynthesisJob]:
    return [job(name, 500 if name == "fast" else 3000) for name in JOBS]


def test_threads_of_this_process_run_all_jobs():
    seen: list[str] = []
    results = synthesize_many(jobs(), run=engines, workers=2, progress=seen.append)
    check(results)
    assert len(seen) == 4
    assert {text.split(" (")[0] for text in seen} == set(JOBS)
    assert seen[-1].endswith("(4 of 4)")


def test_a_cluster_is_used_by_its_address():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        assert cluster.scheduler_address.startswith("tcp://127.0.0.1:")
        check(synthesize_many(jobs(), cluster.scheduler_address, run=engines))


def test_a_cluster_without_workers_is_refused():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=0,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        address = cluster.scheduler_address
        with pytest.raises(SephwError) as error:
            synthesize_many(jobs(), address, run=engines)
    assert str(error.value) == (
        f"scheduler '{address}' has no workers; start some with 'dask worker {address}'"
    )


def test_a_scheduler_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(sweep, "_CONNECT_SECONDS", 0.5)
    with pytest.raises(SephwError) as error:
        synthesize_many(jobs(), "tcp://127.0.0.1:9", run=engines)
    assert str(error.value) == (
        "scheduler 'tcp://127.0.0.1:9' cannot be reached (OSError); start one with "
        "'dask scheduler' and 'dask worker', or leave --scheduler out"
    )


def test_no_jobs_need_no_cluster():
    assert synthesize_many([], "tcp://127.0.0.1:9") == []


def test_a_job_carries_the_graph_with_its_fifos():
    graph = lower(chain(4), FoldingFile({}, 300))
    loaded = SynthesisJob.from_graph("chain", graph, find_device("ice40-up5k")).load()
    assert [(n.name, n.folding) for n in loaded.nodes] == [(n.name, n.folding) for n in graph.nodes]
    assert {k: t.fifo_depth for k, t in loaded.tensors.items()} == {
        k: t.fifo_depth for k, t in graph.tensors.items()
    }


def test_a_job_is_synthesized_by_yosys():
    result = synthesize_many([job("chain", 3000)], workers=1)[0]
    graph = job("chain", 3000).load()
    assert result.error == ""
    assert set(result.engines) == {n.name for n in graph.nodes}
    # The line buffer of 4 rows fits LUT RAM; the requantizer multiplies in one DSP block a lane.
    join = next(n for n in graph.nodes if n.operator.kind == "join")
    assert result.total.dsp == result.engines[join.name].dsp == join.folding.pe
    assert result.total.lut >= sum(r.lut for r in result.engines.values()) > 0


def test_streamed_weights_are_the_graphs_own(monkeypatch):
    streamed = {"pattern_node": Folding(1, 2, Select(weights=WeightPlace.STREAM))}
    graph = lower(chain(4), FoldingFile(streamed, 3000), weight_bandwidth_bits=8)
    assert len(graph.inputs) == 2
    requested = []

    def counted(project, graph, *options, **more):
        assert (project / FILE_LIST).is_file()
        requested.append([node.operator.kind for node in graph.nodes])
        return synthesized

    synthesized = SynthesisResult("chain", Resources(lut=7))
    monkeypatch.setattr("sephw.synth.synthesize", counted)
    device = find_device("ice40-up5k")
    (result,) = synthesize_many([SynthesisJob.from_graph("chain", graph, device)], workers=1)
    assert (result.error, result.total) == ("", Resources(lut=7))
    assert "streamed_conv" in requested[0]


@pytest.mark.parametrize(("name", "dsp"), [("ice40-up5k", True), ("ice40-hx8k", False)])
def test_a_device_without_dsp_blocks_is_synthesized_without(name, dsp, monkeypatch):
    asked = []

    def counted(project, graph, technology, work, settings, **more):
        asked.append(settings.dsp)
        return SynthesisResult("chain")

    monkeypatch.setattr("sephw.synth.synthesize", counted)
    graph = lower(chain(4), FoldingFile({}, 3000))
    synthesize_many([SynthesisJob.from_graph("chain", graph, find_device(name))], workers=1)
    assert asked == [dsp]


def test_foldings_are_synthesized_as_an_export_lowers_them(monkeypatch):
    """Points of a Pareto set have FIFOs for guesses of adder graphs that are not solved."""
    graph, device, made = chain(4), find_device("ecp5-25f"), []
    (found,) = pareto(graph, device_goal(device), points=1)
    guessed = with_fifos_in_blocks(found.graph, device, [n.name for n in found.graph.nodes])
    points = (replace(found, graph=guessed),)

    def synthesize(jobs, scheduler=None, **_):
        made.extend(job.load() for job in jobs)
        return [SynthesisResult(job.name, Resources(lut=1)) for job in jobs]

    monkeypatch.setattr("sephw.explore.exploration.pareto", lambda *_, **__: points)
    monkeypatch.setattr("sephw.explore.exploration.synthesize_many", synthesize)
    settings = ExplorationSettings(device_goal(device), synthesized=1)
    explore_graph(graph, settings, Progress(quiet=True, steps=2))
    exported = lower(graph, found.folding, device=device)
    assert [graph_digest(g) for g in made] == [graph_digest(exported)]
    assert graph_digest(exported) != graph_digest(guessed)


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SephwError) as error:
        synthesize_many(jobs(), run=engines)
    assert str(error.value) == (
        "synthesis side by side needs dask; install it with 'pip install dask distributed'"
    )
