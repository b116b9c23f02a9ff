"""With the real tools: one small network down to a bitstream of each technology."""

import json

import pytest
from synth_projects import SmallExport

from sephw.synth import Request, run_flow
from sephw.targets import find_device
from sephw.tools.file_cache import FileCache

# Starts of the files: what the vendors' loaders look for.
MAGIC = {
    "ecp5-25f": ("sephw_harness.bit", b"\xff\x00"),
    "ice40-hx8k": ("sephw_harness.bin", b"\xff\x00\x00\xff\x7e\xaa\x99\x7e"),
    "gw1nr-9": ("sephw_harness.fs", b"1010010111000011"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return SmallExport(tmp_path_factory.mktemp("real") / "net")


def flow(project, device: str, out, cache, **options):
    return run_flow(
        project.graph,
        project.rtl,
        Request(find_device(device), **options),
        out,
        progress=lambda text: None,
        cache=FileCache(cache),
    )


@pytest.mark.parametrize("device", MAGIC)
def test_a_network_becomes_a_bitstream(project, device, tmp_path):
    run = flow(project, device, tmp_path / "synth", tmp_path / "cache")
    name, start = MAGIC[device]
    content = (tmp_path / "synth" / name).read_bytes()
    assert start in content[:200] and len(content) > 20_000
    # Everything that was counted belongs to an engine or to what lies around them.
    synthesis = run.synthesis
    assert synthesis.runs == len(synthesis.engines) == 4
    assert sum(synthesis.engines.values(), synthesis.glue) == synthesis.total
    assert all(engine.lut > 20 and engine.ff > 20 for engine in synthesis.engines.values())
    # Every flip-flop of the netlist is placed, none invented; the rest grows by what is routed
    # through.
    routed = run.routed
    assert routed.used.ff == synthesis.total.ff
    assert (routed.used.bram, routed.used.dsp) == (synthesis.total.bram, synthesis.total.dsp)
    assert (routed.used.dsp > 0) == (device != "ice40-hx8k")
    assert routed.used.lut >= synthesis.total.lut
    assert routed.available == run.device.available
    # On the ECP5, whose sites are known, each block is where it was put, or nextpnr had failed.
    blocks = sum((e.bram + e.dsp for e in synthesis.engines.values()), 0)
    assert routed.blocks_placed == (blocks if device == "ecp5-25f" else 0)
    assert blocks > 0 or device == "ice40-hx8k"
    assert set(routed.fmax_mhz) == {"ap_clk"} and 10 < routed.fmax_mhz["ap_clk"] < 500
    path = routed.worst_path
    assert path.clock == "ap_clk" and path.delay_ns == pytest.approx(
        1000 / routed.fmax_mhz["ap_clk"], rel=0.02
    )
    assert path.from_engine or path.to_engine
    record = json.loads((tmp_path / "synth" / "synth.json").read_text())
    assert record["routed"]["bitstream"] == name
    if device == "ice40-hx8k":
        again = flow(project, device, tmp_path / "again", tmp_path / "cache")
        assert again.synthesis.runs == 0
        assert (tmp_path / "again" / name).read_bytes() == content
        assert (tmp_path / "again" / "synth.json").read_text() == json.dumps(
            record, indent=2, ensure_ascii=False
        ) + "\n"
