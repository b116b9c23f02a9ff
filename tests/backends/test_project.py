"""The hls4ml project of small graphs: exact at every stream, reproducible, self-contained."""

from __future__ import annotations

import ctypes
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from project_graphs import images_for, residual_graph

from sephw.backends.hls4ml import CompiledProject, compile_project, link_project, write_project
from sephw.errors import SephwError
from sephw.ir import Folding, Graph
from sephw.ops import BitParallel, DigitSerial
from sephw.tools.process import run

PART = "xc7z020clg400-1"


def export(graph: Graph, directory: Path) -> Path:
    images = images_for(graph)
    golden = graph.run(images)[graph.outputs[0]]
    write_project(graph, directory, clock_ns=5.0, part=PART, samples=images, golden=golden)
    return directory


def files(directory: Path) -> dict[str, bytes]:
    paths = (p for p in sorted(directory.rglob("*")) if p.is_file())
    return {str(p.relative_to(directory)): p.read_bytes() for p in paths}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return residual_graph()


@pytest.fixture(scope="module")
def project(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(graph, tmp_path_factory.mktemp("project") / "hls")


@pytest.fixture(scope="module")
def compiled(project: Path) -> Iterator[CompiledProject]:
    before = files(project)
    yield compile_project(project)
    assert files(project) == before, "compiling and running changed the exported project"


def assert_exact(graph: Graph, compiled: CompiledProject, images: np.ndarray) -> None:
    expected = graph.run(images)
    outputs = compiled.run(images)
    assert outputs.keys() == expected.keys() == set(graph.tensors)
    for tensor, values in expected.items():
        assert outputs[tensor].dtype == np.int64
        assert np.array_equal(outputs[tensor], values), tensor


def test_every_stream_is_exact(graph: Graph, compiled: CompiledProject) -> None:
    assert_exact(graph, compiled, images_for(graph, 6))
    # Frames leave no state behind.
    assert_exact(graph, compiled, images_for(graph, 3)[::-1])


def test_adder_graphs(tmp_path: Path) -> None:
    """Digit-serial layers have bit-parallel adders in C++: the values are the same."""
    graph = residual_graph(
        blocks=2,
        frame_cycles=1024,
        foldings={
            "blocks.0.pattern": Folding(engine=BitParallel()),
            "blocks.1.pattern": Folding(engine=DigitSerial(2)),
        },
    )
    windows = [n.folding for n in graph.nodes if n.name in ("blocks.0.window", "blocks.1.window")]
    assert windows == [Folding(pe=72, simd=8)] * 2
    assert_exact(graph, compile_project(export(graph, tmp_path)), images_for(graph))


def test_adder_graphs_of_8_bit_weights(tmp_path: Path) -> None:
    """With a window before them, and 1×1, where a pixel is the window."""
    graph = residual_graph(
        width=4,
        groups=2,
        frame_cycles=1024,
        foldings={
            "stem": Folding(engine=BitParallel()),
            "blocks.0.point": Folding(engine=BitParallel()),
            "classifier": Folding(engine=DigitSerial(4)),
        },
    )
    foldings = {n.name: n.folding for n in graph.nodes}
    assert foldings["stem.window"] == Folding(pe=75, simd=3)
    assert foldings["blocks.0.point"] == Folding(4, 4, BitParallel())
    assert foldings["classifier"] == Folding(10, 4, DigitSerial(4))
    assert_exact(graph, compile_project(export(graph, tmp_path)), images_for(graph))


def test_wider_and_mixed_foldings(tmp_path: Path) -> None:
    graph = residual_graph(
        size=12,
        width=16,
        blocks=2,
        groups=2,
        frame_cycles=500,
        foldings={"stem": Folding(pe=4, simd=3), "blocks.1.join": Folding(pe=16, simd=16)},
    )
    assert_exact(graph, compile_project(export(graph, tmp_path)), images_for(graph))


def test_selected_tensors(graph: Graph, compiled: CompiledProject) -> None:
    images = images_for(graph)
    expected = graph.run(images)
    for wanted in ((), ("stem", "image")):
        outputs = compiled.run(images, tensors=wanted)
        assert set(outputs) == {*wanted, "logits"}
        assert all(np.array_equal(values, expected[t]) for t, values in outputs.items())


def test_same_arguments_same_bytes(graph: Graph, project: Path, tmp_path: Path) -> None:
    assert files(export(graph, tmp_path / "elsewhere")) == files(project)


def test_same_bytes_in_another_process(project: Path, tmp_path: Path) -> None:
    here = Path(__file__).parent
    code = (
        "import sys\n"
        f"sys.path[:0] = {[str(here), str(here.parent / 'support'), str(here.parents[1])]!r}\n"
        "from pathlib import Path\nfrom test_project import export\n"
        "from project_graphs import residual_graph\n"
        f"export(residual_graph(), Path({str(tmp_path / 'other')!r}))\n"
    )
    done = run([sys.executable, "-c", code], directory=tmp_path)
    # hls4ml's messages must not reach the user.
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert files(tmp_path / "other") == files(project)


def test_no_absolute_path(project: Path) -> None:
    places = (str(project).encode(), str(project.parent).encode(), sys.prefix.encode())
    repository = str(Path(__file__).parents[2]).encode()
    for name, content in files(project).items():
        assert not any(place in content for place in (*places, repository)), name


def test_fifo_depths_and_clock(graph: Graph, project: Path) -> None:
    top = next((project / "firmware").glob("*_top.cpp")).read_text()
    depths = dict(re.findall(r"STREAM variable=(\w+)_stream depth=(\d+)", top))
    internal = set(graph.tensors) - {*graph.inputs, *graph.outputs}
    assert depths == {t.replace(".", "_"): str(graph.tensors[t].fifo_depth) for t in internal}
    script = (project / "project.tcl").read_text()
    assert "set clock_period 5.0" in script
    assert f'set part "{PART}"' in script


def test_testbench_checks_itself(project: Path, tmp_path: Path) -> None:
    """The testbench that Vitis HLS runs, compiled as its script asks: C++11."""
    copy = tmp_path / "hls"
    shutil.copytree(project, copy)
    compile_testbench = [
        "g++",
        "-std=c++11",
        "-O1",
        "-w",
        "-isystem",
        "firmware/ap_types",
        "-I.",
        '-DWEIGHTS_DIR="firmware/weights"',
        "firmware/small_net_top.cpp",
        "small_net_top_test.cpp",
        "-o",
        "testbench",
    ]
    assert run(compile_testbench, directory=copy).returncode == 0
    done = run(["./testbench"], directory=copy)
    assert (done.returncode, done.stdout) == (0, "INFO: 4 of 4 frames are equal\n")
    golden = copy / "tb_data" / "tb_output_predictions.dat"
    assert (copy / "tb_data" / "csim_results.log").read_text().split() == golden.read_text().split()

    rows = golden.read_text().splitlines()
    rows[2] = rows[2].replace(rows[2].split()[0], "1234567", 1)
    golden.write_text("\n".join(rows) + "\n")
    done = run(["./testbench"], directory=copy)
    assert done.returncode == 1
    assert "ERROR: frame 2 differs from its golden output" in done.stdout


def test_hls4ml_library(
    graph: Graph, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """hls4ml's own script and bridge work on the project as they are, from any folder."""
    copy = tmp_path / "hls"
    shutil.copytree(project, copy)
    monkeypatch.chdir(tmp_path)
    model = link_project(Path("hls"))
    monkeypatch.chdir("/")
    model.compile()
    library = ctypes.CDLL(str(copy / "firmware" / "small_net_top-sephw.so"))
    images = images_for(graph).astype(np.float64)
    expected = graph.run(images.astype(np.int64))["logits"]
    double = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
    library.small_net_top_double.argtypes = [double, double]
    for image, want in zip(images, expected, strict=True):
        got = np.zeros(want.size)
        library.small_net_top_double(np.ascontiguousarray(image), got)
        assert np.array_equal(got, want.ravel())
    assert np.array_equal(model.predict(images).ravel(), expected.ravel())
    with pytest.raises(SephwError, match="is not an exported HLS project"):
        link_project(tmp_path)


def test_streams_left_over_are_reported(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "hls"
    shutil.copytree(project, copy)
    top = copy / "firmware" / "small_net_top.cpp"
    text = top.read_text()
    text = text.replace(
        "    sephw::global_pool<",
        "    pool_stream.write(pool_stream_t());\n    sephw::global_pool<",
    )
    top.write_text(text)
    compiled = compile_project(copy)
    with pytest.raises(SephwError) as error:
        compiled.run(np.zeros((1, 8, 8, 3), np.int64))
    assert str(error.value) == (
        "C-simulation of 'small_net_top': WARNING: Hls::stream 'pool_stream' contains leftover "
        "data, which may result in RTL simulation hanging."
    )


def test_images_that_do_not_fit(compiled: CompiledProject) -> None:
    with pytest.raises(SephwError) as error:
        compiled.run(np.zeros((1, 9, 8, 3), np.int64))
    assert str(error.value) == (
        "C-simulation of 'small_net_top': images of shape (9, 8, 3), the input takes (8, 8, 3)"
    )
    with pytest.raises(SephwError) as error:
        compiled.run(np.full((1, 8, 8, 3), 256, np.int64))
    assert str(error.value) == (
        "C-simulation of 'small_net_top': image values 256..256, the input takes 0..255"
    )
    with pytest.raises(SephwError) as error:
        compiled.run(np.zeros((1, 8, 8, 3), np.int64), tensors=["steam"])
    assert str(error.value) == "C-simulation of 'small_net_top': no tensor 'steam'"


def test_no_compiler(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SephwError) as error:
        compile_project(project)
    assert str(error.value) == (
        "C-simulation: no C++ compiler on the PATH; "
        "install one with 'apt-get install g++' or 'dnf install gcc-c++'"
    )


def test_compiler_error(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "hls"
    shutil.copytree(project, copy)
    (copy / "firmware" / "small_net_top.cpp").write_text("int x = not_declared;\n")
    with pytest.raises(SephwError) as error:
        compile_project(copy)
    message = str(error.value)
    assert message.startswith("C-simulation: small_net_top.cpp: ")
    assert message.endswith(
        "small_net_top.cpp:1:9: error: 'not_declared' was not declared in this scope"
    )


def test_not_a_project(tmp_path: Path) -> None:
    with pytest.raises(SephwError) as error:
        compile_project(tmp_path)
    assert str(error.value) == (
        f"'{tmp_path}' is not an exported HLS project: no readable streams.json; "
        "export the model again"
    )


def test_data_that_does_not_fit(graph: Graph, tmp_path: Path) -> None:
    images = images_for(graph)
    golden = graph.run(images)["logits"]
    for samples, outputs, message in (
        (
            images[:, :7],
            golden,
            "samples of shape (7, 8, 3) do not fit tensor 'image' of shape (8, 8, 3)",
        ),
        (
            images,
            golden[..., :9],
            "golden outputs of shape (1, 1, 9) do not fit tensor 'logits' of shape (1, 1, 10)",
        ),
        (images, golden[:3], "4 samples, but 3 golden outputs"),
    ):
        with pytest.raises(SephwError) as error:
            write_project(
                graph, tmp_path / "x", clock_ns=5.0, part=PART, samples=samples, golden=outputs
            )
        assert str(error.value) == message
    assert not (tmp_path / "x").exists()
