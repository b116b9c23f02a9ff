"""Independent synthesis runs side by side: in this process, or on a dask cluster by address."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.export_names import GRAPH, GRAPH_ARRAYS
from sephw.ir import Graph
from sephw.ir.resources import Resources
from sephw.ir.serialize import load_graph, save_graph
from sephw.passes import for_device
from sephw.technologies import Device

_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class SynthesisJob:
    """A folded graph to synthesize; plain values, so that it reaches any worker.

    ``graph``: the text and the archive that `save_graph` writes.
    """

    name: str
    graph: tuple[str, bytes]
    device: Device
    timeout_seconds: float = 1800.0

    @classmethod
    def from_graph(
        cls, name: str, graph: Graph, device: Device, timeout_seconds: float = 1800.0
    ) -> SynthesisJob:
        """The job of ``graph``, with its FIFO depths, for ``device``."""
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            save_graph(for_device(graph, device), folder / GRAPH, folder / GRAPH_ARRAYS)
            content = (folder / GRAPH).read_text("utf-8"), (folder / GRAPH_ARRAYS).read_bytes()
        return cls(name, content, device, timeout_seconds)

    def load(self) -> Graph:
        """The graph."""
        from sephw.ops import OPERATORS

        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            (folder / GRAPH).write_text(self.graph[0], "utf-8")
            (folder / GRAPH_ARRAYS).write_bytes(self.graph[1])
            return load_graph(folder / GRAPH, folder / GRAPH_ARRAYS, OPERATORS)


@dataclass(frozen=True)
class SynthesisResult:
    """Synthesized counts of a job, ``engines`` by node; or the ``error`` that ended it, a line."""

    name: str
    total: Resources = field(default_factory=Resources)
    engines: Mapping[str, Resources] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


def synthesize_job(job: SynthesisJob) -> SynthesisResult:
    """Synthesize one job here, in a temporary folder. Raises what synthesis raises."""
    from sephw.backends import rtl
    from sephw.synth import SynthesisSettings, synthesize

    began = time.monotonic()
    graph = job.load()
    # Streamed weights are inputs too, but the graph holds them.
    image = graph.inputs[0]
    zeros = np.zeros((1, *graph.tensors[image].shape), np.int64)
    golden = graph.run(zeros)
    with tempfile.TemporaryDirectory() as made:
        project = Path(made) / "rtl"
        rtl.write_project(
            graph,
            project,
            samples={image: zeros},
            golden={name: golden[name] for name in graph.outputs},
        )
        found = synthesize(
            project,
            graph,
            job.device.technology,
            Path(made) / "work",
            SynthesisSettings(job.timeout_seconds, jobs=1, dsp=job.device.has_dsp),
            progress=lambda text: None,
        )
    return SynthesisResult(
        job.name, found.total, dict(found.engines), round(time.monotonic() - began, 1)
    )


def synthesize_many(
    jobs: Sequence[SynthesisJob],
    scheduler: str | None = None,
    *,
    workers: int = 2,
    run: Callable[[SynthesisJob], SynthesisResult] = synthesize_job,
    progress: Callable[[str], None] = lambda text: None,
) -> list[SynthesisResult]:
    """Run all ``jobs``; results in their order. A job that fails loses none of the others.

    ``scheduler``: address of a dask scheduler whose workers have sephw; None: ``workers`` threads
    of this process. Raises SephwError where the scheduler cannot be reached or has no
    workers, or dask.distributed is not installed.
    """
    if not jobs:
        return []
    try:
        from distributed import as_completed
    except ImportError:
        raise SephwError(
            "synthesis side by side needs dask; install it with 'pip install dask distributed'"
        ) from None

    with ExitStack() as stack:
        client = _client(stack, scheduler, workers)
        # Equal jobs are runs of their own: dask would merge them by what they are.
        futures = [client.submit(_guarded, run, job, pure=False) for job in jobs]
        places = {future.key: i for i, future in enumerate(futures)}
        results: list[SynthesisResult | None] = [None] * len(jobs)
        for done, future in enumerate(as_completed(futures), 1):
            place = places[future.key]
            results[place] = _result(jobs[place], future)
            progress(f"{jobs[place].name} ({done} of {len(jobs)})")
    return [r for r in results if r is not None]


def _guarded(run: Callable[[SynthesisJob], SynthesisResult], job: SynthesisJob) -> SynthesisResult:
    """On the worker: an error is a result as well, and nothing that a cluster has to log."""
    try:
        return run(job)
    except Exception as error:
        return SynthesisResult(job.name, error=_line(error))


def _line(error: BaseException) -> str:
    text = str(error) if isinstance(error, SephwError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _result(job: SynthesisJob, future: Any) -> SynthesisResult:
    """The result, also of a job whose worker was lost."""
    if future.status == "finished":
        result: SynthesisResult = future.result()
        return result
    if future.status == "error":
        return SynthesisResult(job.name, error=_line(future.exception()))
    return SynthesisResult(job.name, error=f"the run was {future.status}")


def _client(stack: ExitStack, scheduler: str | None, workers: int) -> Any:
    from distributed import Client, LocalCluster

    if scheduler is None:
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=1,
                threads_per_worker=workers,
                processes=False,
                dashboard_address=None,
                silence_logs=50,
            )
        )
        return stack.enter_context(Client(cluster))
    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise SephwError(
            f"scheduler '{scheduler}' cannot be reached ({type(error).__name__}); start one with "
            "'dask scheduler' and 'dask worker', or leave --scheduler out"
        ) from None
    stack.callback(client.close)
    if not client.scheduler_info(n_workers=-1)["workers"]:
        raise SephwError(
            f"scheduler '{scheduler}' has no workers; start some with 'dask worker {scheduler}'"
        )
    return client
