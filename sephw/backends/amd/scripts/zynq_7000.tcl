# The processing system of a Zynq-7000: one clock for the fabric, one master port for registers,
# one slave port for the DMA. vivado.tcl connects what the ps_ variables name.

add_ip processing_system7 ps
apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 -config [list \
    make_external "FIXED_IO, DDR" apply_board_preset $board_preset Master Disable Slave Disable \
] [get_bd_cells ps]
if {!$board_preset} {
    # PYNQ programs the clock dividers that this configuration computes, so the reference
    # frequency must be the board's. DDR and MIO stay as the boot loader set them.
    set_property CONFIG.PCW_CRYSTAL_PERIPHERAL_FREQMHZ $reference_mhz [get_bd_cells ps]
}
set_property -dict [list \
    CONFIG.PCW_EN_CLK0_PORT 1 \
    CONFIG.PCW_EN_RST0_PORT 1 \
    CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ $clock_mhz \
    CONFIG.PCW_USE_M_AXI_GP0 1 \
    CONFIG.PCW_USE_S_AXI_HP0 1 \
] [get_bd_cells ps]
set ps_clock ps/FCLK_CLK0
set ps_reset ps/FCLK_RESET0_N
set ps_master ps/M_AXI_GP0
set ps_master_clock ps/M_AXI_GP0_ACLK
set ps_slave ps/S_AXI_HP0
set ps_slave_clock ps/S_AXI_HP0_ACLK
