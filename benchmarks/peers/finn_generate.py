"""Run by the other environment's Python: template values of FINN+'s sliding window, as JSON.

    python finn_generate.py FOLDER_OF_THE_WHEEL SIZE CHANNELS SIMD PARALLEL

FINN+'s own class computes them; its packages' initializers, which import a compiler and torch,
are left out.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

wheel, size, channels, simd, parallel = Path(sys.argv[1]), *map(int, sys.argv[2:6])
for name in ("custom_op", "custom_op.fpgadataflow", "custom_op.fpgadataflow.rtl"):
    package = types.ModuleType(f"finn.{name}")
    package.__path__ = [str(wheel / "finn" / name.replace(".", "/"))]
    sys.modules[package.__name__] = package
sys.path.insert(0, str(wheel))

from finn.custom_op.fpgadataflow.rtl import (  # type: ignore[import-not-found]  # noqa: E402
    convolutioninputgenerator_rtl as swg,
)

swg.get_settings = lambda: types.SimpleNamespace(finn_rtllib=str(wheel / "finn" / "finn-rtllib"))
ATTRIBUTES = {
    "IFMChannels": channels,
    "ConvKernelDim": [3, 3],
    "IFMDim": [size + 2] * 2,
    "OFMDim": [size] * 2,
    "Stride": [1, 1],
    "Dilation": [1, 1],
    "depthwise": 0,
    "SIMD": simd,
    "M": 1,
    "parallel_window": parallel,
    "dynamic_mode": 0,
    "ram_style": "auto",
}


class Window(swg.ConvolutionInputGenerator_rtl):
    """Without the ONNX node that it normally reads its attributes from."""

    def __init__(self) -> None:
        pass

    def get_nodeattr(self, name: str) -> object:
        return ATTRIBUTES[name]


window = Window()
template, values = (
    window.prepare_codegen_parallel() if parallel else window.prepare_codegen_default()
)
print(json.dumps({"template": template, "values": values}))
