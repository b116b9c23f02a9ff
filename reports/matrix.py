"""The verification matrix, layer × representation: equal, different or not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sephw.errors import SephwError
from sephw.verify import CYCLES, REPRESENTATIONS, Difference, LayerCheck, Verification, describe

# Columns that a report always has, in this order; others that were run come behind them.
DEFAULT_COLUMNS = (*REPRESENTATIONS, *CYCLES[1:])


class State(StrEnum):
    """The comparison of one tensor in one representation.

    NONE: the representation has no such tensor. REFERENCE: the others are compared with this one.
    """

    REFERENCE = "reference"
    EQUAL = "equal"
    DIFFERS = "differs"
    NOT_RUN = "not run"
    NONE = "none"


@dataclass(frozen=True)
class MatrixCell:
    """One comparison: ``mismatches`` of ``elements`` differ, ``detail`` describes the first."""

    state: State
    elements: int = 0
    mismatches: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Row:
    """One tensor, with a cell per column."""

    name: str
    module: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True)
class Column:
    """One representation, with the number of its ``tensors`` and elements compared to a
    reference.
    """

    name: str
    run: bool
    tensors: int
    elements: int
    mismatches: int
    reference: bool


@dataclass(frozen=True)
class Matrix:
    """The verification matrix of a network."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def verified_layers(verification: Verification) -> Matrix:
    """The matrix of a verification, with tensors in network order."""
    checks = verification.checks
    ran = {*verification.representations, *(c.representation for c in checks)} - {CYCLES[0]}
    names = (*DEFAULT_COLUMNS, *sorted(ran - set(DEFAULT_COLUMNS)))
    by_tensor: dict[str, dict[str, MatrixCell]] = {}
    modules: dict[str, str] = {}
    for check in checks:
        cells = by_tensor.setdefault(check.name, {})
        modules[check.name] = modules.get(check.name) or check.module
        cells[check.representation] = _cell(check, verification.samples)
        cells.setdefault(check.against, MatrixCell(State.REFERENCE, check.elements))
    rows = tuple(
        Row(tensor, modules[tensor], tuple(_found(cells, name, name in ran) for name in names))
        for tensor, cells in by_tensor.items()
    )
    return Matrix(tuple(_column(name, name in ran, i, rows) for i, name in enumerate(names)), rows)


def read_verification(content: Mapping[str, Any]) -> Verification:
    """The verification in the content of verify.json.

    Raises SephwError for malformed content.
    """
    try:
        return Verification(
            data=str(content["data"]),
            samples=tuple(map(str, content["sample_names"])),
            representations=tuple(map(str, content["representations"])),
            checks=tuple(_check(row) for row in content["layers"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SephwError(
            f"verify.json is not that of an export ({type(error).__name__}: {error}); "
            "export the model again"
        ) from None


def _check(row: Mapping[str, Any]) -> LayerCheck:
    first = row.get("first")
    return LayerCheck(
        name=row["name"],
        module=row["module"],
        representation=row["representation"],
        against=row["against"],
        elements=int(row["elements"]),
        mismatches=int(row["mismatches"]),
        first=None
        if first is None
        else Difference(tuple(first["index"]), first["value"], first["expected"]),
        reason=row.get("reason", ""),
    )


def _cell(check: LayerCheck, samples: Sequence[str]) -> MatrixCell:
    if not check.mismatches:
        return MatrixCell(State.EQUAL, check.elements)
    return MatrixCell(State.DIFFERS, check.elements, check.mismatches, describe(check, samples))


def _found(cells: Mapping[str, MatrixCell], name: str, ran: bool) -> MatrixCell:
    return cells.get(name, MatrixCell(State.NONE if ran else State.NOT_RUN))


def _column(name: str, run: bool, index: int, rows: Sequence[Row]) -> Column:
    cells = [row.cells[index] for row in rows]
    compared = [cell for cell in cells if cell.state in (State.EQUAL, State.DIFFERS)]
    return Column(
        name=name,
        run=run,
        tensors=len(compared),
        elements=sum(cell.elements for cell in compared),
        mismatches=sum(cell.mismatches for cell in compared),
        reference=any(cell.state is State.REFERENCE for cell in cells),
    )
