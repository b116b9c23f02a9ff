"""The tools of the YoWASP wheels: WebAssembly that a Python module runs."""

from __future__ import annotations

import sys

from sephw.tools.user_folders import yowasp_folder

_CODE = """\
import os, sys
os.environ["YOWASP_CACHE_DIR"] = sys.argv.pop(1)
import {module}
sys.exit({module}.{function}(sys.argv[1:]))
"""


def yowasp_command(module: str, function: str) -> tuple[str, ...]:
    """The command prefix that calls `module.function` with the arguments that follow.

    It names a writable folder: without one these tools do not run.
    """
    code = _CODE.format(module=module, function=function)
    return (sys.executable, "-c", code, str(yowasp_folder()))
