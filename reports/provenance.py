"""The origin of a network and the tools that processed it, as manifest.json records them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sephw.errors import SephwError
from sephw.invocation import Invocation


@dataclass(frozen=True)
class Provenance:
    """The origin of an export.

    ``test_percent``: top-1 accuracy of the frozen network on its whole test set, measured at
    training; None where the checkpoint has no such figure. ``invocation`` None: the export was
    called from Python. ``options`` and ``versions``: (name, value).
    """

    name: str
    model_file: str
    model_sha256: str
    network: str
    stage: str
    classes: int
    test_percent: float | None
    target: str
    steps: tuple[str, ...]
    invocation: Invocation | None
    options: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]


def read_provenance(manifest: Mapping[str, Any]) -> Provenance:
    """The provenance in the content of manifest.json, with or without its list of files.

    Raises SephwError for malformed content.
    """
    try:
        model, options = manifest["model"], manifest["options"]
        folding = options["folding"]
        percent, called = model.get("test_percent"), manifest["invocation"]
        return Provenance(
            name=str(manifest["name"]),
            model_file=str(model["file"]),
            model_sha256=str(model["sha256"]),
            network=str(model["network"]),
            stage=str(model["stage"]),
            classes=len(model["classes"]),
            test_percent=None if percent is None else float(percent),
            target=str(options["target"]),
            steps=tuple(map(str, options["steps"])),
            invocation=None if called is None else Invocation.from_dict(called),
            options=(
                ("images", f"{options['data']}, {options['samples']} real ones"),
                ("folding", "chosen" if folding is None else f"file, SHA-256 {folding['sha256']}"),
                ("clock", f"{options['clock_ns']:g} ns, the target's default"),
                *_requirements(options),
                ("steps", ", ".join(options["steps"])),
            ),
            versions=tuple((str(k), str(v)) for k, v in manifest["versions"].items()),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SephwError(
            f"manifest.json is not that of an export ({type(error).__name__}: {error}); "
            "export the model again"
        ) from None


def _requirements(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The requirements on search and synthesis that the user gave, as (name, value)."""
    for name, label, unit in (
        ("fps", "frame rate on chip", "frames/s"),
        ("clock_mhz", "clock", "MHz"),
    ):
        if options.get(name) is not None:
            yield f"wanted {label}", f"{float(options[name]):g} {unit}"
