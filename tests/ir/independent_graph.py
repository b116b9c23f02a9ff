"""A reader of graph.json and graph.npz that knows docs/graph.md and nothing of the package.

`read` checks all that the document says of a graph; `evaluate` computes its integers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

TOP = {"format", "version", "name", "device", "inputs", "outputs", "nodes", "tensors"}
NODE = {"name", "module", "operator", "inputs", "outputs", "folding", "fields"}
FOLDING = {
    "pe": int,
    "simd": int,
    "family": ("adder-graph", "digit-serial"),
    "digit_bits": int,
    "multipliers": ("lut",),
    "weights": ("stream",),
    "tile_pixels": int,
    "adder_levels": int,
}
TENSOR = {"name", "height", "width", "channels", "dtype", "module", "fifo_depth", "fifo_memory"}
PACE = {"source_beats", "source_cycles"}
_MAP = ("height", "width", "channels", "dtype")
_KERNEL = ("kernel_height", "kernel_width")
_CONV = ("height", "width", "in_channels", "out_channels", *_KERNEL, "groups", "input_dtype")
_POOL = ("height", "width", "channels", *_KERNEL, "groups", "dtype")
FIELDS = {
    "sliding_window": (
        *_MAP,
        *_KERNEL,
        *("stride", "padding_top", "padding_left", "output_height", "output_width", "groups"),
    ),
    "conv8": (*_CONV, "weights"),
    "pattern_conv": (*_CONV, "patterns"),
    "streamed_conv": (*_CONV, "weights", "bits_per_weight", "pe", "simd", "tile_pixels"),
    "join": (
        *("height", "width", "channels", "input_dtypes"),
        *("mantissas", "shifts", "bias", "shift", "output_dtype"),
    ),
    "thresholds": (
        *("height", "width", "channels", "input_dtype"),
        *("thresholds", "decreasing", "offset", "output_dtype"),
    ),
    "max_pool": _POOL,
    "average_pool": _POOL,
    "global_pool": _MAP,
    "concat": _MAP,
    "fork": (*_MAP, "copies"),
    "width_converter": (*_MAP, "lanes_in", "lanes_out"),
    "tile_buffer": (
        *_MAP,
        *("lanes", "rows", "columns", "run", "repeats", "paced"),
        *("output_height", "output_width", "output_channels", "values"),
    ),
}


class WrongGraphError(Exception):
    """What the document does not allow."""


def demand(condition: object, message: str) -> None:
    if not condition:
        raise WrongGraphError(message)


@dataclass
class GraphFile:
    """The content of both files: objects of graph.json, arrays by key."""

    content: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def tensors(self) -> dict[str, dict[str, Any]]:
        return {t["name"]: t for t in self.content["tensors"]}

    def fields(self, node: dict[str, Any]) -> dict[str, Any]:
        """The fields of a node, arrays in place of their keys."""
        return {
            key: self.arrays[value["array"]] if isinstance(value, dict) else value
            for key, value in node["fields"].items()
        }


def type_range(text: str) -> tuple[int, int]:
    """Smallest and largest value of a type."""
    match = re.fullmatch(r"(u?)int([1-9][0-9]?)", text)
    demand(match and 1 <= int(match[2]) <= 64, f"{text} is not a type")
    bits = int(match[2])
    return (0, 2**bits - 1) if match[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def is_count(value: object, least: int = 1) -> bool:
    return type(value) is int and value >= least


def read(json_path: Path, npz_path: Path) -> GraphFile:
    """Both files, checked; WrongGraphError says what is wrong."""
    content = json.loads(json_path.read_text("utf-8"))
    demand(set(content) == TOP, f"keys {sorted(content)}")
    demand((content["format"], content["version"]) == ("sephw-graph", 2), "format or version")
    demand(all(isinstance(content[k], str) for k in ("name", "device")), "name or device")
    with np.load(npz_path, allow_pickle=False) as held:
        arrays = {key: held[key] for key in held.files}
    graph = GraphFile(content, {key: a.astype(np.int64) for key, a in arrays.items()})
    for key, array in arrays.items():
        demand(array.dtype.kind == "i", f"{key} holds {array.dtype}")
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        need = next(b for b in (8, 16, 32, 64) if -(2 ** (b - 1)) <= low and high < 2 ** (b - 1))
        demand(array.dtype.itemsize * 8 == need, f"{key} is wider than it needs to be")
    for tensor in content["tensors"]:
        check_tensor(tensor, content["inputs"])
    demand(len(graph.tensors) == len(content["tensors"]), "two tensors of one name")
    names = [node["name"] for node in content["nodes"]]
    demand(len(set(names)) == len(names), "two nodes of one name")
    for node in content["nodes"]:
        check_node(graph, node)
    check_wiring(graph)
    check_arrays(graph)
    return graph


def check_tensor(tensor: dict[str, Any], inputs: list[str]) -> None:
    name = tensor.get("name")
    demand(set(tensor) - PACE == TENSOR, f"tensor {name}: keys {sorted(tensor)}")
    sizes = [tensor[k] for k in ("height", "width", "channels")]
    demand(all(map(is_count, sizes)) and prod(sizes) <= 2**32, f"tensor {name}: {sizes}")
    demand(is_count(tensor["fifo_depth"]), f"tensor {name}: fifo_depth")
    demand(tensor["fifo_memory"] in ("auto", "block"), f"tensor {name}: fifo_memory")
    type_range(tensor["dtype"])
    paced = PACE & set(tensor)
    demand(not paced or (paced == PACE and name in inputs), f"tensor {name}: pace")
    demand(all(is_count(tensor[k]) for k in paced), f"tensor {name}: pace")


def check_node(graph: GraphFile, node: dict[str, Any]) -> None:
    name, operator = node.get("name"), node.get("operator")
    demand(set(node) == NODE, f"node {name}: keys {sorted(node)}")
    demand(operator in FIELDS, f"node {name}: operator {operator}")
    demand(set(node["fields"]) == set(FIELDS[operator]), f"node {name}: fields")
    for key, value in node["folding"].items():
        legal = FOLDING.get(key)
        right = is_count(value) if legal is int else value in (legal or ())
        demand(right, f"node {name}: folding {key}={value}")
    demand({"pe", "simd"} <= set(node["folding"]), f"node {name}: folding")
    fields = graph.fields(node)
    inputs, outputs = shapes(operator, fields)
    types = input_types(operator, fields)
    for end, wanted in (("inputs", inputs), ("outputs", outputs)):
        demand(set(node[end]) <= set(graph.tensors), f"node {name}: a tensor is not listed")
        found = [graph.tensors[t] for t in node[end]]
        sizes = [(t["height"], t["width"], t["channels"]) for t in found]
        demand(sizes == wanted, f"node {name}: {end} {sizes}, not {wanted}")
    for tensor, dtype in zip(node["inputs"], types, strict=True):
        demand(graph.tensors[tensor]["dtype"] == dtype, f"node {name}: type of {tensor}")
    memories = {graph.tensors[t]["fifo_memory"] for t in node["outputs"]}
    demand(len(memories) == 1, f"node {name}: memories {memories}")
    lanes = {
        "width_converter": ("lanes_out", "lanes_in"),
        "tile_buffer": ("lanes", "lanes"),
        "streamed_conv": ("pe", "simd"),
    }.get(operator)
    if lanes is not None:
        wanted = tuple(fields[key] for key in lanes)
        demand((node["folding"]["pe"], node["folding"]["simd"]) == wanted, f"node {name}: lanes")


def shapes(operator: str, f: dict[str, Any]) -> tuple[list[tuple], list[tuple]]:
    """(shapes of the inputs, of the outputs)."""
    taps = f.get("kernel_height", 1) * f.get("kernel_width", 1)
    if operator.endswith("conv") or operator == "conv8":
        weights = f["patterns" if operator == "pattern_conv" else "weights"]
        group = f["in_channels"] // f["groups"]
        demand(f["in_channels"] % f["groups"] == f["out_channels"] % f["groups"] == 0, "groups")
        demand(weights.shape == (f["out_channels"], taps * group), "shape of weights")
        read = [(f["height"], f["width"], taps * f["in_channels"])]
        if operator == "streamed_conv":
            read.append((f["height"], f["width"], weights.size))
        return read, [(f["height"], f["width"], f["out_channels"])]
    size = (f["height"], f["width"], f["channels"])
    if operator == "sliding_window":
        made = (f["output_height"], f["output_width"], taps * f["channels"])
        return [size], [made]
    if operator in ("max_pool", "average_pool"):
        return [(*size[:2], taps * size[2])], [size]
    if operator == "global_pool":
        return [size], [(1, 1, size[2])]
    if operator == "concat":
        return [(*size[:2], n) for n in size[2]], [(*size[:2], sum(size[2]))]
    if operator == "join":
        branches = len(f["input_dtypes"])
        demand(1 <= branches <= 4, "inputs of a join")
        for key in ("mantissas", "shifts"):
            demand(f[key].shape == (branches, size[2]), f"shape of {key}")
        demand(f["bias"].shape == (size[2],), "shape of bias")
        return [size] * branches, [size]
    if operator == "thresholds":
        demand(f["thresholds"].ndim == 2 and len(f["thresholds"]) == size[2], "thresholds")
        demand((np.diff(f["thresholds"]) >= 0).all(), "thresholds do not ascend")
        demand(f["decreasing"].shape == (size[2],), "shape of decreasing")
    if operator == "tile_buffer":
        demand(f["values"].shape in ((0,), (size[2],)), "shape of values")
        made = (f["output_height"], f["output_width"], f["output_channels"])
        demand(prod(made) == prod(size) * f["repeats"], "size of a tile buffer's output")
        return [size], [made]
    return [size], [size] * f.get("copies", 1)


def input_types(operator: str, f: dict[str, Any]) -> list[str]:
    if operator == "join":
        return f["input_dtypes"]
    if operator == "concat":
        return [f["dtype"]] * len(f["channels"])
    if operator == "streamed_conv":
        return [f["input_dtype"], "uint1" if f["bits_per_weight"] == 1 else "int8"]
    return [f["input_dtype"] if "input_dtype" in f else f["dtype"]]


def check_wiring(graph: GraphFile) -> None:
    """Makers, readers, order and lanes."""
    content = graph.content
    made = list(content["inputs"])
    lanes = {}
    readers = {name: content["outputs"].count(name) for name in graph.tensors}
    for node in content["nodes"]:
        pe, simd = node["folding"]["pe"], node["folding"]["simd"]
        for place, name in enumerate(node["inputs"]):
            demand(name in made, f"{name} is read before it is made")
            readers[name] += 1
            wanted = pe * simd if node["operator"] == "streamed_conv" and place == 1 else simd
            demand(lanes.setdefault(name, wanted) == wanted, f"lanes of {name}")
        for name in node["outputs"]:
            demand(name not in made, f"{name} is made twice")
            made.append(name)
            lanes[name] = pe
    demand(set(made) == set(graph.tensors), "a tensor is not made")
    for name, tensor in graph.tensors.items():
        demand(readers[name] == 1, f"{name} has {readers[name]} readers")
        elements = tensor["height"] * tensor["width"] * tensor["channels"]
        demand(elements % lanes[name] == 0, f"lanes of {name}")


def check_arrays(graph: GraphFile) -> None:
    named = [
        (f"{node['name']}.{key}", value["array"])
        for node in graph.content["nodes"]
        for key, value in node["fields"].items()
        if isinstance(value, dict)
    ]
    demand(all(key == array for key, array in named), "the key of an array")
    demand(sorted(key for key, _ in named) == sorted(graph.arrays), "arrays without a field")


def evaluate(graph: GraphFile, images: np.ndarray) -> dict[str, np.ndarray]:
    """Every tensor of (n, h, w, c) ``images``: int64 (n, h, w, c) by name."""
    first, *weights = graph.content["inputs"]
    values = {first: images.astype(np.int64)}
    for name in weights:
        t = graph.tensors[name]
        shape = (len(images), t["height"], t["width"], t["channels"])
        values[name] = np.broadcast_to(brought(graph, name), shape)
    for node in graph.content["nodes"]:
        inputs = [values[name] for name in node["inputs"]]
        results = compute(node["operator"], graph.fields(node), inputs)
        for name, result in zip(node["outputs"], results, strict=True):
            low, high = type_range(graph.tensors[name]["dtype"])
            demand(low <= result.min() and result.max() <= high, f"{name} leaves its type")
            values[name] = result
    return values


def brought(graph: GraphFile, name: str) -> np.ndarray:
    """What a graph input of weights brings at every pixel."""
    (node,) = (n for n in graph.content["nodes"] if name in n["inputs"])
    f = graph.fields(node)
    return f["values"] if node["operator"] == "tile_buffer" else stream_order(f)


def stream_order(f: dict[str, Any]) -> np.ndarray:
    weights, pe, simd = f["weights"], f["pe"], f["simd"]
    folds = weights.shape[0] // f["groups"] // pe
    words = weights.reshape(f["groups"] * folds, pe, -1, simd).transpose(0, 2, 1, 3).ravel()
    return (words == -1).astype(np.int64) if f["bits_per_weight"] == 1 else words


def compute(operator: str, f: dict[str, Any], inputs: list[np.ndarray]) -> list[np.ndarray]:
    x = inputs[0]
    n = len(x)
    if operator == "sliding_window":
        return [windows(f, x)]
    if operator in ("conv8", "pattern_conv", "streamed_conv"):
        if operator == "streamed_conv":
            demand((inputs[1] == stream_order(f)).all(), "other weights are brought")
        weights = f["patterns" if operator == "pattern_conv" else "weights"]
        parts = x.reshape(*x.shape[:3], f["groups"], -1)
        grouped = weights.reshape(f["groups"], -1, weights.shape[1])
        return [np.einsum("nyxgi,goi->nyxgo", parts, grouped).reshape(*x.shape[:3], -1)]
    if operator == "join":
        low, high = type_range(f["output_dtype"])
        total = sum(
            x * (m << s) for x, m, s in zip(inputs, f["mantissas"], f["shifts"], strict=True)
        )
        return [np.clip((total + f["bias"]) // 2 ** f["shift"], low, high)]
    if operator == "thresholds":
        rows, value = f["thresholds"], x[..., None]
        reached = np.where(f["decreasing"][:, None] == 1, rows >= value, rows <= value)
        return [f["offset"] + reached.sum(4)]
    if operator in ("max_pool", "average_pool"):
        taps = f["kernel_height"] * f["kernel_width"]
        values = x.reshape(*x.shape[:3], f["groups"], taps, -1)
        found = values.max(4) if operator == "max_pool" else values.sum(4)
        return [found.reshape(*x.shape[:3], -1)]
    if operator == "global_pool":
        return [x.sum((1, 2), keepdims=True)]
    if operator == "concat":
        return [np.concatenate(inputs, 3)]
    if operator == "tile_buffer":
        run = f["run"] * f["lanes"]
        blocks = x.reshape(n, -1, f["rows"], f["columns"], run).transpose(0, 1, 3, 2, 4)
        sent = np.repeat(blocks[:, :, :, None], f["repeats"], axis=3)
        return [sent.reshape(n, f["output_height"], f["output_width"], f["output_channels"])]
    return [x] * f.get("copies", 1)


def windows(f: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Pixel by pixel, as the document has it."""
    groups = x.reshape(*x.shape[:3], f["groups"], -1)
    kernel = f["kernel_height"], f["kernel_width"]
    made = np.zeros(
        (len(x), f["output_height"], f["output_width"], f["groups"], *kernel, groups.shape[4]),
        np.int64,
    )
    for oy, ox, ky, kx in np.ndindex(f["output_height"], f["output_width"], *kernel):
        y = oy * f["stride"] - f["padding_top"] + ky
        column = ox * f["stride"] - f["padding_left"] + kx
        if 0 <= y < f["height"] and 0 <= column < f["width"]:
            made[:, oy, ox, :, ky, kx] = groups[:, y, column]
    return made.reshape(*made.shape[:3], -1)
