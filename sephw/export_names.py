"""The names of an export's files and folders."""

FORMAT, VERSION = "sephw-export", 1
"""Of the manifest, which makes a folder an export."""

MANIFEST = "manifest.json"
MODEL = "model.onnx"
GRAPH, GRAPH_ARRAYS = "graph.json", "graph.npz"
FOLDING = "folding.json"
CYCLES = "cycles.json"
VERIFICATION = "verify.json"
REPORT = "report.json"

HLS, RTL, NETLIST, SYNTH, BOARD, AMD = "hls", "rtl", "netlist", "synth", "board", "amd"
"""Folders."""

SYNTHESIS = "synth.json"
"""In `SYNTH`: the record of the open tools. In `AMD`: that of the vendor's."""

TEST_IMAGES, TEST_OUTPUTS = "test_images.npy", "test_outputs.npy"
"""In `BOARD`: uint8 (N, h, w, c) and int64 (N, outputs)."""
