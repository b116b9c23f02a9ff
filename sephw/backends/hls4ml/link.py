"""An exported project as hls4ml's model, wherever the caller stands.

A project holds no absolute path, so hls4ml's own ``link_existing_project`` finds it only from
inside its folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sephw.backends.layout import read_stream_list


def link_project(directory: Path) -> Any:
    """hls4ml's ``FilesystemModelGraph`` of ``directory``: ``compile``, ``predict``, ``build``.

    ``compile`` writes hls4ml's library into the project. Raises SephwError if the directory is no
    project that this package wrote.
    """
    directory = directory.resolve()
    read_stream_list(directory, "HLS")
    from hls4ml.converters import link_existing_project

    model = link_existing_project(directory)
    model.config.config["OutputDir"] = str(directory)
    return model
