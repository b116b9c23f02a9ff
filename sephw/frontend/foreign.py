"""QONNX files that were not written here: their input's shape, and a copy in our form."""

from __future__ import annotations

from pathlib import Path

from sephw.errors import SephwError
from sephw.files import reading
from sephw.frontend.onnx_file import image_input, load_model
from sephw.frontend.read_qonnx import ReadResult, RefusedError
from sephw.frontend.tidy import write_tidy
from sephw.frontend.verdicts import ModelVerdict, judge_model


def qonnx_input_shape(path: Path) -> tuple[int, int, int]:
    """(channels, height, width) of the one input, which is (N, C, H, W).

    Raises SephwError for a missing file, one that is no ONNX file; RefusedError for other inputs
    and unknown sizes.
    """
    model = load_model(path)
    with reading(str(path), "export it again"):
        try:
            image = image_input(path, model)
        except SephwError as error:
            raise RefusedError(str(error)) from None
    return image.channels, image.height, image.width


def judge_qonnx(path: Path) -> ModelVerdict:
    """Judge every node of the file; see `judge_model`.

    Raises SephwError for a missing file, or one that is no ONNX file that can be read.
    """
    return judge_model(path, load_model(path))


def copy_qonnx(source: Path, target: Path) -> ReadResult:
    """Write the network of ``source`` to ``target`` as `write_tidy` does, and read it.

    Raises SephwError, before anything is written, for what is no ONNX file or is refused.
    """
    return write_tidy(source, load_model(source), target)
