"""One board all the way to its bitstream with its own pins and PLL; all: benchmarks.boards."""

from benchmarks.boards import CLOCK_MHZ, route

# What configures an iCE40, in front of the bits.
MAGIC = b"\x7e\xaa\x99\x7e"


def test_icebreaker(tmp_path) -> None:
    board = route("icebreaker", tmp_path)
    content = (tmp_path / "bitstream" / "bitstream.bin").read_bytes()
    assert MAGIC in content[:64]
    assert board.part == "iCE40UP5K sg48"
    assert board.fmax_mhz >= board.clock_mhz == 24.0 == CLOCK_MHZ["icebreaker"]
    assert 0 < board.board_lut < board.lut < 5280
    # The pins went into the placement, the PLL's settings into its cell.
    log = (tmp_path / "route" / "nextpnr.log").read_text()
    constrained = (tmp_path / "board" / "small_board.pcf").read_text()
    ports = [line.split()[-2:] for line in constrained.splitlines() if line.startswith("set_io")]
    assert len(ports) == 6
    for port, _ in ports:
        assert f"constrained '{port}'" in log
    assert "VCO frequency of PLL 'pll.pll' is constrained to 768.0 MHz" in log
    assert "Derived frequency constraint of 24.0 MHz for net clk" in log
