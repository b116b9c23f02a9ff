"""Graphs as files: readable JSON, arrays in an npz beside it; the same graph, the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.files import build, read_archive_of_arrays, read_json, write_archive_of_arrays
from sephw.ir.folding import decode_folding, encode_folding
from sephw.ir.graph import Graph, Node
from sephw.ir.operator import Integers, Operator
from sephw.ir.types import FifoMemory, IntType, Tensor

FORMAT = "sephw-graph"
VERSION = 2
MOST_ELEMENTS = 1 << 32
"""Of one frame of a tensor."""
# Version 1 says nothing of the memories of FIFOs: they are chosen when a device is known.
_READ_VERSIONS = (1, VERSION)
_TYPE = re.compile(r"(u?)int([1-9][0-9]{0,3})")
_MOST_BITS = 64


def save_graph(graph: Graph, json_path: Path, npz_path: Path) -> None:
    """Write ``graph``; the same graph always gives the same bytes."""
    arrays: dict[str, Integers] = {}
    text = json.dumps(_encode_graph(graph, arrays), indent=1, ensure_ascii=False)
    # One line per short list or object: {"pe": 1,\n "simd": 2} reads badly over four lines.
    text = re.sub(r"([\[{])\n\s+([^\[\]{}]{1,250}?)\n\s+([\]}])", _on_one_line, text)
    json_path.write_text(text + "\n", encoding="utf-8")
    write_archive_of_arrays(npz_path, {key: _narrow(values) for key, values in arrays.items()})


def graph_digest(graph: Graph) -> bytes:
    """SHA-256 of all that ``graph`` says; the same with any version of Python and of NumPy."""
    arrays: dict[str, Integers] = {}
    digest = hashlib.sha256(json.dumps(_encode_graph(graph, arrays), sort_keys=True).encode())
    for key, values in arrays.items():
        digest.update(f"{key} {values.shape}\0".encode() + values.astype("<i8").tobytes())
    return digest.digest()


def load_graph(json_path: Path, npz_path: Path, operators: Sequence[type[Operator]]) -> Graph:
    """Read what ``save_graph`` wrote. ``operators`` are the kinds that may occur.

    Raises SephwError naming the file: missing, not such a file, another version, an unknown
    operator, a missing array, or a graph that does not validate.
    """
    content = _read_json(json_path)
    kinds = {operator.kind: operator for operator in operators}
    if not npz_path.exists():
        raise SephwError(f"'{npz_path}' does not exist; it belongs to '{json_path}'")
    arrays = read_archive_of_arrays(npz_path, f"'{npz_path}'", "export again")
    try:
        integers = {key: _integers(key, values) for key, values in arrays.items()}
        graph = Graph(
            name=_text(content["name"]),
            nodes=tuple(_decode_node(entry, kinds, integers) for entry in content["nodes"]),
            tensors={t["name"]: _decode_tensor(t) for t in content["tensors"]},
            inputs=_texts(content["inputs"]),
            outputs=_texts(content["outputs"]),
            device=_text(content.get("device", "")),
        )
        graph.validate()
    except SephwError:
        raise
    except Exception as error:  # an operator's own checks may raise anything on what cannot be
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SephwError(
            f"'{json_path}' is not a complete graph ({reason}); export again"
        ) from error
    return graph


def _on_one_line(match: re.Match[str]) -> str:
    return match[1] + re.sub(r"\n\s+", " ", match[2]) + match[3]


def _narrow(values: Integers) -> np.ndarray[Any, Any]:
    """The same values in the smallest of int8, int16, int32 and int64."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for dtype in (np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values


def _read_json(path: Path) -> dict[str, Any]:
    content = read_json(path, f"graph file '{path}'", "export again")
    if content.get("format") != FORMAT:
        raise SephwError(f"'{path}' is not a graph file of sephw; give the graph.json of an export")
    if content.get("version") not in _READ_VERSIONS:
        raise SephwError(
            f"graph file '{path}' has version {content.get('version')}, this sephw reads "
            f"{' and '.join(map(str, _READ_VERSIONS))}; export again"
        )
    return content


def _encode_graph(graph: Graph, arrays: dict[str, Integers]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": graph.name,
        "device": graph.device,
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "nodes": [_encode_node(node, arrays) for node in graph.nodes],
        "tensors": [_encode_tensor(t) for t in graph.tensors.values()],
    }


def _encode_node(node: Node, arrays: dict[str, Integers]) -> dict[str, Any]:
    values = {
        f.name: _encode(getattr(node.operator, f.name), f"{node.name}.{f.name}", arrays)
        for f in fields(node.operator)
    }
    return {
        "name": node.name,
        "module": node.module,
        "operator": node.operator.kind,
        "inputs": list(node.inputs),
        "outputs": list(node.outputs),
        "folding": encode_folding(node.folding),
        "fields": values,
    }


def _encode(value: object, key: str, arrays: dict[str, Integers]) -> Any:
    if isinstance(value, IntType):
        return str(value)
    if isinstance(value, tuple):
        return [_encode(v, f"{key}.{i}", arrays) for i, v in enumerate(value)]
    if isinstance(value, np.ndarray):
        arrays[key] = value
        return {"array": key}
    if isinstance(value, int):
        return value
    raise TypeError(f"{key}: {type(value).__name__} is not a type that operator fields have")


def _decode_node(
    entry: Mapping[str, Any], kinds: Mapping[str, type[Operator]], arrays: Mapping[str, Integers]
) -> Node:
    kind = entry["operator"]
    if kind not in kinds:
        raise SephwError(
            f"graph: node '{entry['name']}' has the unknown operator '{kind}'; "
            f"known operators: {', '.join(kinds)}"
        )
    values = {key: _decode(value, arrays) for key, value in entry["fields"].items()}
    operator = build(kinds[kind], values)
    return Node(
        name=_text(entry["name"]),
        module=_text(entry["module"]),
        operator=operator,
        inputs=_texts(entry["inputs"]),
        outputs=_texts(entry["outputs"]),
        folding=decode_folding(entry["folding"], operator.variants),
    )


def _decode(value: Any, arrays: Mapping[str, Integers]) -> Any:
    if isinstance(value, str):
        return _decode_type(value)
    if isinstance(value, list):
        return tuple(_decode(v, arrays) for v in value)
    if isinstance(value, dict):
        return arrays[value["array"]]
    return value


def _decode_type(text: str) -> IntType:
    match = _TYPE.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not an integer type such as uint8 or int14")
    bits = int(match[2])
    if bits > _MOST_BITS:
        raise ValueError(f"'{text}' has more than {_MOST_BITS} bits")
    return IntType(bits, signed=not match[1])


def _encode_tensor(tensor: Tensor) -> dict[str, Any]:
    """Plain values; the pace of a source only where there is one."""
    values = asdict(tensor)
    values.update(dtype=str(tensor.dtype), fifo_memory=str(tensor.fifo_memory))
    if not tensor.source_cycles:
        del values["source_beats"], values["source_cycles"]
    return values


def _decode_tensor(entry: Mapping[str, Any]) -> Tensor:
    words = {
        "dtype": _decode_type(entry["dtype"]),
        "fifo_memory": FifoMemory(entry.get("fifo_memory", FifoMemory.AUTO)),
    }
    tensor = build(Tensor, {**entry, **words})
    if min(tensor.shape) < 1 or tensor.elements > MOST_ELEMENTS or tensor.fifo_depth < 1:
        raise ValueError(f"tensor '{tensor.name}' of {tensor.shape}, FIFO {tensor.fifo_depth}")
    return tensor


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is not a name")
    return value


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise ValueError(f"{values!r:.40} is not a list of names")
    return tuple(map(_text, values))


def _integers(key: str, values: np.ndarray[Any, Any]) -> Integers:
    if values.dtype.kind not in "iu":
        raise ValueError(f"array '{key}' of {values.dtype}, not of integers")
    return values.astype(np.int64)
