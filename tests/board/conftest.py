"""The small board, built once for all of these tests."""

from __future__ import annotations

import pytest
from board_designs import Design, design, feature_map

from sephw.backends.board import CompiledBoard


@pytest.fixture(scope="session")
def mapped(tmp_path_factory) -> tuple[Design, CompiledBoard]:
    found = design(feature_map(), tmp_path_factory.mktemp("feature_map"))
    return found, found.compile()
