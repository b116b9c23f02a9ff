"""What the training tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

FORKS: list[int] = []
os.register_at_fork(before=lambda: FORKS.append(os.getpid()))


@pytest.fixture(autouse=True)
def never_forked() -> Iterator[None]:
    """A fork takes over the locks that other threads hold, as gloo's do in a team.

    The child then stands still now and then. Programs started by subprocess or by multiprocessing's
    "spawn" are no forks in this sense.
    """
    FORKS.clear()
    yield
    assert not FORKS, "training forked its process"


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
