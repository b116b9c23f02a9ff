"""A board that is only a row: its project, and predictions of its simulation."""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(sys.argv[2]) / "board"))
from board_designs import connect, design, feature_map

found = design(feature_map(), Path(sys.argv[1]), target="ulx3s-45f")

(pins,) = (found.directory / "board").glob("*.lpf")
assert "LOCATE COMP" in pins.read_text()
images = found.images(3)
with found.compile().power_up() as board, connect(found, board) as accelerator:
    assert np.array_equal(accelerator.predict(images), found.outputs(images))
print("exact")
