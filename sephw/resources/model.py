"""The fitted model: coefficients of a technology, and its measured errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sephw.files import build
from sephw.resources.features import Features
from sephw.technologies import CHARACTERIZATION, Technology

# Behind the technology's name.
FILE_ENDING = "_model.json"
_ONCE = "once:"


@dataclass(frozen=True)
class Errors:
    """Relative errors |estimate − measured| / measured of ``count`` engines.

    ``exact``: the share of engines whose estimate equals the measured number.
    """

    count: int
    median: float
    p90: float
    largest: float
    exact: float


@dataclass(frozen=True)
class NetworkError:
    """The summed estimates and synthesized counts of a whole network."""

    network: str
    engines: int
    estimated: Mapping[str, int]
    synthesized: Mapping[str, int]


@dataclass(frozen=True)
class Accuracy:
    """The accuracy of a technology's model, on layers that no coefficient was fitted to.

    ``lut``, ``ff``, ``bram``, ``dsp``: with the graphs of adder families solved; ``lut_unsolved``:
    with their sizes guessed, those families only. ``fmax``: against routed engines, None where
    no place-and-route comes from PyPI; ``network_fmax``: against routed networks, each estimated
    with the wires of the others. ``by_kind``: LUT errors by kind and family.
    """

    technology: Technology
    yosys: str
    lut: Errors
    lut_unsolved: Errors
    ff: Errors
    bram: Errors
    dsp: Errors
    fmax: Errors | None
    network_fmax: Errors | None
    by_kind: Mapping[str, Errors]
    networks: tuple[NetworkError, ...]


@dataclass(frozen=True)
class Model:
    """``luts``: coefficient by feature; ``fmax``: coefficients of the period in ns, or empty.

    ``wires_ns``: see `sephw.resources.wires`; 0 where no network was routed.
    """

    luts: Mapping[str, float]
    fmax: Mapping[str, float]
    wires_ns: float
    accuracy: Accuracy

    def lut(self, features: Features) -> float:
        """LUTs of an engine."""
        return weighted(features, self.luts)


def weighted(features: Features, coefficients: Mapping[str, float]) -> float:
    """The fixed LUTs and Σ coefficient · count.

    A feature that no engine had while fitting counts 0; the constant of an unknown kind is the mean
    of the other kinds'.
    """
    once = [value for name, value in coefficients.items() if name.startswith(_ONCE)]
    mean = sum(once) / max(1, len(once))
    return features.fixed + sum(
        count * coefficients.get(name, mean if name.startswith(_ONCE) else 0.0)
        for name, count in features.counts.items()
    )


@cache
def load(technology: Technology) -> Model:
    """The model of ``technology``.

    Raises SephwError naming those that have been characterized.
    """
    folder = technology.require(CHARACTERIZATION).folder
    text = (folder / f"{technology.name}{FILE_ENDING}").read_text("utf-8")
    part: Mapping[str, Any] = json.loads(text)
    accuracy = part["accuracy"]
    return Model(
        luts=part["luts"],
        fmax=part["fmax"],
        wires_ns=part["wires_ns"],
        accuracy=Accuracy(
            technology=technology,
            yosys=part["yosys"],
            lut=build(Errors, accuracy["lut"]),
            lut_unsolved=build(Errors, accuracy["lut_unsolved"]),
            ff=build(Errors, accuracy["ff"]),
            bram=build(Errors, accuracy["bram"]),
            dsp=build(Errors, accuracy["dsp"]),
            fmax=_errors(accuracy["fmax"]),
            network_fmax=_errors(accuracy["network_fmax"]),
            by_kind={kind: build(Errors, found) for kind, found in accuracy["by_kind"].items()},
            networks=tuple(build(NetworkError, found) for found in accuracy["networks"]),
        ),
    )


def _errors(found: Mapping[str, Any] | None) -> Errors | None:
    return None if found is None else build(Errors, found)


def accuracy(technology: Technology) -> Accuracy:
    """The measured errors of estimates for ``technology``. Raises SephwError as `load` does."""
    return load(technology).accuracy


def wires_of(technology: Technology) -> float:
    """The wire delay in ns per square root of LUTs; 0 where no network was routed."""
    return load(technology).wires_ns if technology.has(CHARACTERIZATION) else 0.0
