"""A small network as an export's directory, and the flow on it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from export_folder import manifest
from small_graphs import chain

from sephw.backends import rtl
from sephw.errors import SephwError
from sephw.files.listing import file_hashes
from sephw.ir import Graph
from sephw.ir.serialize import save_graph
from sephw.passes import lower
from sephw.synth import Request, run_flow


def small_graph() -> Graph:
    """A pattern layer and its requantizer: four engines."""
    return lower(chain(4), None)


class SmallExport:
    """graph.json, graph.npz, rtl/ with two images, manifest.json."""

    def __init__(self, folder: Path, target: str = "ulx3s-25f") -> None:
        self.folder = folder
        self.graph = small_graph()
        folder.mkdir(parents=True)
        source, sink = self.graph.inputs[0], self.graph.outputs[0]
        shape = self.graph.tensors[source].shape
        self.images = np.random.default_rng(3).integers(0, 256, (2, *shape))
        self.outputs = self.graph.run(self.images)[sink]
        save_graph(self.graph, folder / "graph.json", folder / "graph.npz")
        rtl.write_project(
            self.graph, self.rtl, samples={source: self.images}, golden={sink: self.outputs}
        )
        content = {**manifest(target), "files": file_hashes(folder)}
        (folder / "manifest.json").write_text(json.dumps(content))

    @property
    def rtl(self) -> Path:
        """The RTL project."""
        return self.folder / "rtl"


def flow(export, request: Request, **options):
    return run_flow(
        export.graph,
        export.rtl,
        request,
        export.folder / "synth",
        **{"progress": lambda text: None, **options},
    )


def failure(export, request: Request, kind: type[SephwError] = SephwError, **options) -> str:
    """The message of a run that fails; nothing of it is left but its logs."""
    before = sorted(export.folder.rglob("*"))
    with pytest.raises(kind) as caught:
        flow(export, request, **options)
    assert sorted(export.folder.rglob("*")) == before
    return str(caught.value)
