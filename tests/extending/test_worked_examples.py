"""What it takes to add an operator, a QONNX node and a board, each in a copy of the package.

A device and a family: tests/technologies/test_made_up.py. An engine of convolutions:
tests/ops/test_engine_variants.py.
"""

import shutil
from pathlib import Path

from package_copy import MADE_UP, copy, insert, run

# (file of the worked example, its folder in the package)
OPERATOR = (("invert.py", "ops"), ("sephw_invert.sv", "rtl"), ("sephw_invert.h", "hls"))
BOARD = """    Target(
        "ulx3s-45f",
        "Radiona ULX3S 45F (ECP5)",
        find_device("ecp5-45f"),
        10.0,
        OpenBoard(
            "amaranth_boards.ulx3s:ULX3S_45F_Platform",
            "CABGA381",
            "6",
            "ulx3s",
            driven_high=_ESP32_IDLE,
        ),
    ),
"""


def test_an_operator_is_three_files_and_its_name_in_the_list(tmp_path: Path) -> None:
    """Kernel, engine with pauses and resets, cycle simulation, graph file and estimate take it."""
    package = copy(tmp_path, "ops", "rtl", "hls")
    for name, where in OPERATOR:
        assert not (package / where / name).exists()
        shutil.copy(MADE_UP / name, package / where / name)
    listing = package / "ops" / "__init__.py"
    insert(listing, "from sephw.ops.join import", "from sephw.ops.invert import Invert\n")
    insert(listing, "    Fork,\n    WidthConverter,\n", "    Invert,\n")
    assert run("use_invert.py", tmp_path) == "exact\n"


def test_a_qonnx_node_is_a_handler_and_its_row(tmp_path: Path) -> None:
    """A file with the node is read, and equal to onnxruntime; other attributes are refused."""
    package = copy(tmp_path, "frontend")
    handlers = package / "frontend" / "handlers"
    shutil.copy(MADE_UP / "maximum.py", handlers / "maximum.py")
    listing = handlers / "__init__.py"
    first = "from sephw.frontend.handlers.pool import"
    insert(listing, first, "from sephw.frontend.handlers.maximum import maximum\n")
    row = '    "Max": Handler(maximum, NoAttributes, inputs=2),\n'
    insert(listing, '    "MaxPool": Handler(', row)
    assert run("use_maximum.py", tmp_path) == "exact\n"


def test_a_board_is_a_row(tmp_path: Path) -> None:
    """Pins, PLL, constraints and the simulated board with its driver take it."""
    package = copy(tmp_path, "targets")
    insert(package / "targets" / "boards.py", '    Target(\n        "ulx3s-25f",\n', BOARD)
    assert run("use_board.py", tmp_path) == "exact\n"
