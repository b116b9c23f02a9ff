"""An export's directory is opened, checked and read in one place."""

import ast
import json
from pathlib import Path

import export_folder
import numpy as np
import pytest

from sephw import export_names
from sephw.errors import SephwError, UsageError
from sephw.export_folder import ExportFolder
from sephw.ir.serialize import graph_digest

ROOT = Path(__file__).parents[2]
FILE_NAMES = {
    value
    for name, value in vars(export_names).items()
    if name.isupper() and isinstance(value, str) and "." in value
} | {export_names.TEST_IMAGES, export_names.TEST_OUTPUTS}
# Files of the same name that are no part of an export.
OTHERS = {("sephw/synth/route.py", "report.json"): "what nextpnr reports"}
NO_EXPORT = "is no export (no manifest.json of sephw); give the folder that 'sephw export' made"


@pytest.fixture(scope="module")
def graph():
    return export_folder.small_graph()


@pytest.fixture
def folder(tmp_path, graph):
    manifest = export_folder.manifest()
    return export_folder.write_export(tmp_path / "made", graph, manifest=manifest)


def test_names_of_files_stand_in_one_module():
    assert len(FILE_NAMES) >= 10
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for package in ("sephw", "reports", "sim")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "export_names.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and node.value in FILE_NAMES
        and (path.relative_to(ROOT).as_posix(), node.value) not in OTHERS
    ]
    assert found == [], "use sephw.export_names, or read the file with ExportFolder"


def test_what_a_whole_export_holds(folder, graph):
    export = ExportFolder.open(folder)
    assert graph_digest(export.graph()) == graph_digest(graph)
    assert export.target.name == "ulx3s-85f"
    assert export.task.class_names == ("a", "b") and export.task.resize == "none"
    assert export.invocation.model == "models/small.pth"
    assert export.cycles() is export.verification() is export.report() is None
    assert export.synthesis() is export.vendor_synthesis() is None
    assert export.test_frames(graph) is None
    (folder / "synth").mkdir()
    (folder / "synth" / "synth.json").write_text('{"clock_mhz": 50}')
    assert export.synthesis() == {"clock_mhz": 50}
    assert export.vendor_synthesis() is None


def test_test_frames_of_a_board(folder, graph):
    shape, out = graph.tensors[graph.inputs[0]].shape, graph.tensors[graph.outputs[0]].shape
    images = np.arange(2 * np.prod(shape)).reshape(2, *shape) % 256
    outputs = np.arange(2 * np.prod(out)).reshape(2, -1) - 5
    (folder / "board").mkdir()
    np.save(folder / "board" / "test_images.npy", images.astype(np.uint8))
    np.save(folder / "board" / "test_outputs.npy", outputs)
    found = ExportFolder.open(folder).test_frames(graph)
    assert (found.images == images).all()
    assert (found.outputs == outputs.reshape(2, *out)).all()


@pytest.mark.parametrize("content", [None, "{}", '{"format": "sephw-synth"}'])
def test_no_export(tmp_path, content):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UsageError) as caught:
        ExportFolder.open(tmp_path)
    assert str(caught.value) == f"{tmp_path}: {NO_EXPORT}"
    with pytest.raises(UsageError, match=r"; give a checkpoint$"):
        ExportFolder.open(tmp_path / "missing", "give a checkpoint")


def test_a_damaged_manifest(folder):
    (folder / "manifest.json").write_text("{")
    with pytest.raises(SephwError) as caught:
        ExportFolder.open(folder)
    text = str(caught.value)
    assert text.startswith(f"'{folder}/manifest.json' is not JSON: line 1, column 2: ")
    assert text.endswith("; export the model again")


@pytest.mark.parametrize("options", [None, [], "text", {}])
def test_a_manifest_without_a_target(folder, options):
    content = {**export_folder.manifest(), "options": options}
    (folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(UsageError) as caught:
        _ = ExportFolder.open(folder).target
    assert str(caught.value) == (
        f"{folder}: its manifest.json names no target; name one with --target"
    )


def test_what_a_partial_export_lacks(folder):
    export = ExportFolder.open(folder)
    (folder / "graph.json").unlink()
    for read, message in (
        (lambda: export.graph(), "holds no graph.json; export the model again"),
        (lambda: export.unfolded_graph(), "holds no model.onnx; export the model again"),
        (lambda: export.rtl, "holds no rtl/; export the model again with the step rtl"),
    ):
        with pytest.raises(UsageError) as caught:
            read()
        assert str(caught.value) == f"{folder}: {message}"
