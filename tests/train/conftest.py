"""What the training tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 images 8×8 in two classes that differ in which half is bright; a .npz-free folder."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("halves")
    random = np.random.default_rng(1)
    for name, rows in (("bottom", slice(4, 8)), ("top", slice(0, 4))):
        (folder / name).mkdir()
        for i in range(40):
            image = random.integers(0, 100, (8, 8), dtype=np.uint8)
            image[rows] += 150
            Image.fromarray(image).save(folder / name / f"{i:02}.png")
    return folder
