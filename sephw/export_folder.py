"""The directory of an export, opened, checked and read in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sephw.backends.board import Task, TestFrames
from sephw.backends.layout import lay_out
from sephw.backends.rtl.beats import unpack, words_per_beat
from sephw.backends.rtl.project import FILE_LIST, TEST_DATA
from sephw.command_line import command_name
from sephw.errors import SephwError, UsageError
from sephw.export_names import (
    AMD,
    BOARD,
    CYCLES,
    FORMAT,
    GRAPH,
    GRAPH_ARRAYS,
    MANIFEST,
    MODEL,
    REPORT,
    RTL,
    SYNTH,
    SYNTHESIS,
    TEST_IMAGES,
    TEST_OUTPUTS,
    VERIFICATION,
)
from sephw.files import check_file, read_array, read_json
from sephw.host.description import RESIZES
from sephw.invocation import Invocation
from sephw.ir import Graph
from sephw.ir.serialize import load_graph
from sephw.ops import OPERATORS
from sephw.targets import Target, find_target

_AGAIN = "export the model again"
_FIX = f"give the folder that '{command_name('export')}' made"


@dataclass(frozen=True)
class ExportFolder:
    """An export in ``path``, with the content of its manifest; other files are read when asked for.

    Every reader raises SephwError, one line, where a file is damaged.
    """

    path: Path
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path, fix: str = _FIX) -> ExportFolder:
        """The export in ``path``.

        Raises UsageError where it is none (``fix``: what to give instead), SephwError where the
        manifest is damaged.
        """
        file = path / MANIFEST
        content = read_json(file, f"'{file}'", _AGAIN) if file.is_file() else {}
        if content.get("format") != FORMAT:
            raise UsageError(f"{path}: is no export (no {MANIFEST} of sephw); {fix}")
        return cls(path, content)

    @property
    def synth(self) -> Path:
        """The folder of what the open tools made; it need not be there."""
        return self.path / SYNTH

    @property
    def board(self) -> Path:
        """The folder of an open board's design; it need not be there."""
        return self.path / BOARD

    @property
    def rtl(self) -> Path:
        """The SystemVerilog project. UsageError where there is none."""
        folder = self.path / RTL
        if not (folder / FILE_LIST).is_file():
            raise UsageError(f"{self.path}: holds no {RTL}/; {_AGAIN} with the step {RTL}")
        return folder

    @property
    def target(self) -> Target:
        """The board that it was made for. UsageError where the manifest names none."""
        try:
            name = str(self.manifest["options"]["target"])
        except (KeyError, TypeError):
            raise UsageError(
                f"{self.path}: its {MANIFEST} names no target; name one with --target"
            ) from None
        return find_target(name)

    @property
    def invocation(self) -> Invocation | None:
        """The call that made it; None where it was made from Python, or nobody can tell."""
        try:
            content = self.manifest["invocation"]
            return None if content is None else Invocation.from_dict(content)
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def task(self) -> Task:
        """The network's classes by name and how its images come to their size, where known."""
        model = self.manifest.get("model")
        found = model if isinstance(model, dict) else {}
        names, resize = found.get("classes") or (), found.get("resize", "none")
        known = isinstance(names, list) and all(isinstance(name, str) for name in names)
        return Task(tuple(names) if known else (), resize if resize in RESIZES else "none")

    def graph(self) -> Graph:
        """The hardware graph, folded. UsageError where there is none."""
        return load_graph(self._file(GRAPH), self.path / GRAPH_ARRAYS, OPERATORS)

    def unfolded_graph(self) -> Graph:
        """The hardware graph of the network, before any folding. UsageError without a network."""
        from sephw.frontend import read_qonnx

        name = str(self.manifest.get("name") or "")
        if not name:
            raise SephwError(f"{self.path}: its {MANIFEST} names no network; {_AGAIN}")
        return replace(read_qonnx(self._file(MODEL)).graph, name=name)

    def cycles(self) -> Mapping[str, Any] | None:
        """The content of cycles.json; None where there is none."""
        return self._json(Path(CYCLES))

    def verification(self) -> Mapping[str, Any] | None:
        """The content of verify.json; None where there is none."""
        return self._json(Path(VERIFICATION))

    def report(self) -> Mapping[str, Any] | None:
        """The content of report.json; None where there is none."""
        return self._json(Path(REPORT))

    def synthesis(self) -> Mapping[str, Any] | None:
        """The record of the open tools, synth/synth.json; None where there is none."""
        return self._json(Path(SYNTH, SYNTHESIS))

    def vendor_synthesis(self) -> Mapping[str, Any] | None:
        """The record of the vendor's tools, amd/synth.json; None where there is none."""
        return self._json(Path(AMD, SYNTHESIS))

    def test_frames(self, graph: Graph) -> TestFrames | None:
        """Images and the outputs expected of them.

        They are those of the board's files or else of the testbench. None where there are no such
        files, or ``graph`` has several inputs or outputs.
        """
        layout = lay_out(graph)
        if len(layout.inputs) != 1 or len(layout.outputs) != 1:
            return None
        streams = [layout.streams[name] for name in (layout.input, layout.output)]
        folder = self.path / RTL / TEST_DATA
        try:
            if (self.board / TEST_IMAGES).is_file():
                images, outputs = (
                    read_array(self.board / name, f"'{self.board / name}'", _AGAIN)
                    for name in (TEST_IMAGES, TEST_OUTPUTS)
                )
                shaped = images.astype(np.int64).reshape(-1, *streams[0].shape)
                expected = outputs.astype(np.int64).reshape(len(shaped), *streams[1].shape)
                return TestFrames(shaped, expected)
            found = []
            for stream, name in zip(streams, ("input_0.bin", "expected_0.bin"), strict=True):
                check_file(folder / name, f"'{folder / name}'")
                words = np.fromfile(folder / name, "<u4").reshape(-1, words_per_beat(stream))
                found.append(unpack(words, stream))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise SephwError(
                f"{self.path}: its test images cannot be read ({type(error).__name__}); {_AGAIN}"
            ) from None
        return TestFrames(found[0], found[1])

    def _file(self, name: str) -> Path:
        path = self.path / name
        if not path.is_file():
            raise UsageError(f"{self.path}: holds no {name}; {_AGAIN}")
        return path

    def _json(self, name: Path) -> Mapping[str, Any] | None:
        path = self.path / name
        return read_json(path, f"'{path}'", _AGAIN) if path.is_file() else None
