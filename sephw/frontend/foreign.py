"""QONNX files that were not written here: their input's shape, and a copy in our form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sephw.errors import SephwError
from sephw.frontend.export_qonnx import save_tidy


def qonnx_input_shape(path: Path) -> tuple[int, int, int]:
    """(channels, height, width) of the one input, which is (N, C, H, W).

    Raises SephwError for a missing file, one that is no ONNX file, other inputs, unknown sizes.
    """
    graph = _load(path).graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in constants]
    if len(inputs) != 1:
        raise SephwError(f"{path}: {len(inputs)} inputs; a network here has one")
    sizes = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim]
    if len(sizes) != 4 or min(sizes[1:]) < 1:
        shown = ", ".join(str(size or "?") for size in sizes)
        raise SephwError(
            f"{path}: input '{inputs[0].name}' is ({shown}); it must be (N, C, H, W) with C, H "
            "and W known: export with an example of that shape"
        )
    channels, height, width = sizes[1:]
    return channels, height, width


def copy_qonnx(source: Path, target: Path) -> None:
    """Write the network of ``source`` to ``target``: self-contained, named as ours are.

    Raises SephwError for what is no ONNX file.
    """
    model = _load(source)
    try:
        save_tidy(model, target)
    except Exception as error:
        raise SephwError(f"{source}: {str(error).splitlines()[0]}; export it again") from error


def _load(path: Path) -> Any:
    import onnx

    if not path.is_file():
        raise SephwError(f"{path}: no such file")
    try:
        return onnx.load(str(path))
    except Exception:
        raise SephwError(f"{path}: not an ONNX file, or damaged; export it again") from None
