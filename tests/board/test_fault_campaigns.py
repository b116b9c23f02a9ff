"""Random faults on the line: a right result or an error, and the campaigns do find a wrong one."""

from __future__ import annotations

import pytest
from board_designs import design, feature_map

from benchmarks.link_faults import SCENARIOS, campaign
from sephw.host import frames, read_description


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_faults_never_make_a_result(mapped, scenario) -> None:
    """Larger: `python -m benchmarks.link_faults`."""
    found, compiled = mapped
    images = found.images(32)
    tally = campaign(
        compiled,
        read_description(found.directory),
        images,
        found.outputs(images),
        scenario,
        requests=40,
        seed=11,
    )
    assert tally.wrong == 0
    if scenario.name == "none":
        assert (tally.faults, tally.retries, tally.refused) == (0, 0, 0)
    else:
        assert tally.faults > 0
        assert tally.refused <= tally.requests // 2, "hardly anything came through"


def test_the_campaign_finds_a_host_that_does_not_check(mapped, monkeypatch) -> None:
    """With the CRC of replies ignored, and the rest of the driver as it is."""
    found, compiled = mapped
    real = frames._body

    def trusting(frame: bytearray) -> bytes | None:
        body = real(frame)
        plain = bytes(frame).replace(b"\x7d\x5d", b"\x7d").replace(b"\x7d\x5e", b"\x7e")
        return plain[:-4] if body is None and len(plain) > 20 else body

    monkeypatch.setattr(frames, "_body", trusting)
    images = found.images(32)
    scenario = next(s for s in SCENARIOS if s.name == "bytes changed")
    tally = campaign(
        compiled,
        read_description(found.directory),
        images,
        found.outputs(images),
        scenario,
        requests=40,
        seed=11,
    )
    assert tally.wrong > 0


def test_the_campaign_finds_a_board_that_does_not_check(mapped, tmp_path) -> None:
    """With the CRC of requests ignored by the RTL."""
    found = design(feature_map(), tmp_path)
    receive = tmp_path / "board" / "sephw_link_receive.sv"
    text = receive.read_text()
    check = " && crc_state == RESIDUE"
    assert text.count(check) == 2
    text = text.replace(check, " && (^crc_state || 1'b1)").replace(
        "  localparam logic [31:0] RESIDUE = 32'hDEBB20E3;\n", ""
    )
    receive.write_text(text)
    images = found.images(32)
    scenario = next(s for s in SCENARIOS if s.name == "bytes changed")
    tally = campaign(
        found.compile(),
        read_description(found.directory),
        images,
        found.outputs(images),
        scenario,
        requests=60,
        seed=11,
    )
    assert tally.wrong > 0
