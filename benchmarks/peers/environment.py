"""The throwaway virtual environment of the other projects' packages, never this one's."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.process import run

# Everything that is asked for by name, and at which version.
NNGEN = ("nngen==1.3.4", "veriloggen==2.3.0", "pyverilog==1.3.0")
FINN = "finn-plus==1.6.1"
# What the one module of FINN+ that is run here imports.
FINN_NEEDS = (
    "qonnx==1.0.0",
    "scipy",
    "rich",
    "pyyaml",
    "click",
    "pydantic",
    "mashumaro[yaml]",
    "psutil",
    "termcolor",
    "bitstring",
)
_SHOWN = ("nngen", "veriloggen", "pyverilog", "qonnx", "numpy", "onnx")
_TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True)
class PeerEnvironment:
    """``python`` of the environment; ``finn`` is FINN+'s wheel, unpacked and not installed."""

    python: Path
    finn: Path

    @classmethod
    def at(cls, work: Path) -> PeerEnvironment:
        """Where ``make`` puts it."""
        return cls(work / "environment" / "bin" / "python", work / "finn-plus")

    @classmethod
    def make(cls, work: Path, progress: Callable[[str], None]) -> PeerEnvironment:
        """Make it below ``work``, or take the one that is there.

        Raises SephwError where a package cannot be had.
        """
        made = cls.at(work)
        done = work / "environment.json"
        if done.is_file():
            return made
        progress("making the throwaway environment")
        _call([sys.executable, "-m", "venv", str(work / "environment")])
        pip = [str(made.python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        _call([*pip, "install", *NNGEN, *FINN_NEEDS])
        _call([*pip, "download", "--no-deps", FINN, "--dest", str(work / "wheels")])
        (wheel,) = (work / "wheels").glob("finn_plus-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(made.finn)
        listing = run([str(made.python), "-m", "pip", "list", "--format", "json"]).stdout
        found = {p["name"]: p["version"] for p in json.loads(listing.splitlines()[0])}
        versions = {name: found[name] for name in _SHOWN if name in found}
        versions["finn-plus"] = FINN.partition("==")[2]
        done.write_text(json.dumps(versions), encoding="utf-8")
        return made

    @staticmethod
    def versions(work: Path) -> dict[str, str]:
        """Versions in the environment of ``work``; none where there is no environment."""
        done = work / "environment.json"
        found: dict[str, str] = json.loads(done.read_text("utf-8")) if done.is_file() else {}
        return found

    def run(self, script: Path, arguments: Sequence[str], directory: Path) -> str:
        """Run a script with the environment's Python; what it printed."""
        return _call([str(self.python), str(script), *arguments], directory)


def _call(command: Sequence[str], directory: Path | None = None) -> str:
    # What is set for this package's own environment does not reach the other one.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = run(
        command, directory=directory, timeout_seconds=_TIMEOUT_SECONDS, environment=environment
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise SephwError(f"peers: '{Path(command[-1]).name}' of the other environment: {lines[-1]}")
    return done.stdout
