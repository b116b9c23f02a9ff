"""Graphs as files: readable JSON, arrays in an npz beside it; the same graph, the same bytes."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.ir.graph import Graph, Node
from sephw.ir.operator import Integers, Operator
from sephw.ir.types import Family, Folding, IntType, Multipliers, Tensor, WeightPlace

FORMAT = "sephw-graph"
VERSION = 1
_TYPE = re.compile(r"(u?)int([1-9][0-9]*)")


def save_graph(graph: Graph, json_path: Path, npz_path: Path) -> None:
    """Write ``graph``; the same graph always gives the same bytes."""
    arrays: dict[str, Integers] = {}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "name": graph.name,
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "nodes": [_encode_node(node, arrays) for node in graph.nodes],
        "tensors": [_encode_tensor(t) for t in graph.tensors.values()],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    # One line per short list or object: {"pe": 1,\n "simd": 2} reads badly over four lines.
    text = re.sub(r"([\[{])\n\s+([^\[\]{}]{1,250}?)\n\s+([\]}])", _on_one_line, text)
    json_path.write_text(text + "\n", encoding="utf-8")
    # The archive carries numpy's fixed date, so equal arrays give equal bytes.
    narrowed: dict[str, Any] = {key: _narrow(values) for key, values in arrays.items()}
    np.savez_compressed(npz_path, **narrowed)


def load_graph(json_path: Path, npz_path: Path, operators: Sequence[type[Operator]]) -> Graph:
    """Read what ``save_graph`` wrote. ``operators`` are the kinds that may occur.

    Raises SephwError naming the file: missing, not such a file, another version, an unknown
    operator, a missing array, or a graph that does not validate.
    """
    content = _read_json(json_path)
    kinds = {operator.kind: operator for operator in operators}
    try:
        with np.load(npz_path, allow_pickle=False) as archive:
            arrays = {key: archive[key].astype(np.int64) for key in archive.files}
    except FileNotFoundError:
        raise SephwError(f"'{npz_path}' does not exist; it belongs to '{json_path}'") from None
    except (OSError, ValueError, zipfile.BadZipFile):
        raise SephwError(f"'{npz_path}' is not a readable npz archive; export again") from None
    try:
        graph = Graph(
            name=content["name"],
            nodes=tuple(_decode_node(entry, kinds, arrays) for entry in content["nodes"]),
            tensors={t["name"]: _decode_tensor(t) for t in content["tensors"]},
            inputs=tuple(content["inputs"]),
            outputs=tuple(content["outputs"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SephwError(
            f"'{json_path}' is not a complete graph ({type(error).__name__}: {error}); export again"
        ) from error
    graph.validate()
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
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SephwError(f"graph file '{path}' does not exist; check the path") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        raise SephwError(f"graph file '{path}' is not readable JSON; export again") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SephwError(f"'{path}' is not a graph file of sephw; give the graph.json of an export")
    if content.get("version") != VERSION:
        raise SephwError(
            f"graph file '{path}' has version {content.get('version')}, this sephw reads "
            f"{VERSION}; export again"
        )
    return content


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
    return Node(
        name=entry["name"],
        module=entry["module"],
        operator=kinds[kind](**values),
        inputs=tuple(entry["inputs"]),
        outputs=tuple(entry["outputs"]),
        folding=_decode_folding(entry["folding"]),
    )


def encode_folding(folding: Folding) -> dict[str, Any]:
    """Plain values; family and digits only where they are not the usual ones."""
    values: dict[str, Any] = {"pe": folding.pe, "simd": folding.simd}
    if folding.family is not Family.SELECT:
        values["family"] = str(folding.family)
    if folding.digit_bits:
        values["digit_bits"] = folding.digit_bits
    if folding.multipliers is not Multipliers.DSP:
        values["multipliers"] = str(folding.multipliers)
    if folding.weights is not WeightPlace.CHIP:
        values["weights"] = str(folding.weights)
    if folding.adder_levels > 1:
        values["adder_levels"] = folding.adder_levels
    if folding.tile_pixels > 1:
        values["tile_pixels"] = folding.tile_pixels
    return values


def _decode_folding(entry: Mapping[str, Any]) -> Folding:
    words = {
        "family": Family(entry.get("family", Family.SELECT)),
        "multipliers": Multipliers(entry.get("multipliers", Multipliers.DSP)),
        "weights": WeightPlace(entry.get("weights", WeightPlace.CHIP)),
    }
    return Folding(**{**entry, **words})


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
    return IntType(int(match[2]), signed=not match[1])


def _encode_tensor(tensor: Tensor) -> dict[str, Any]:
    """Plain values; the pace of a source only where there is one."""
    values = {**asdict(tensor), "dtype": str(tensor.dtype)}
    if not tensor.source_cycles:
        del values["source_beats"], values["source_cycles"]
    return values


def _decode_tensor(entry: Mapping[str, Any]) -> Tensor:
    return Tensor(**{**entry, "dtype": _decode_type(entry["dtype"])})
