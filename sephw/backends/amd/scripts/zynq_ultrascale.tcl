# The processing system of a Zynq UltraScale+: one clock for the fabric, one master port for
# registers, one slave port for the DMA. vivado.tcl connects what the ps_ variables name.

add_ip zynq_ultra_ps_e ps
if {$board_preset} {
    apply_bd_automation -rule xilinx.com:bd_rule:zynq_ultra_ps_e -config [list \
        apply_board_preset 1 \
    ] [get_bd_cells ps]
} else {
    # PYNQ programs the clock dividers that this configuration computes, so the reference
    # frequency must be the board's. DDR and MIO stay as the boot loader set them.
    set_property CONFIG.PSU__PSS_REF_CLK__FREQMHZ $reference_mhz [get_bd_cells ps]
}
# Presets turn further master ports on; each would need a clock, so those not used go off.
set_property -dict [list \
    CONFIG.PSU__FPGA_PL0_ENABLE 1 \
    CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $clock_mhz \
    CONFIG.PSU__USE__M_AXI_GP0 1 \
    CONFIG.PSU__USE__M_AXI_GP1 0 \
    CONFIG.PSU__USE__M_AXI_GP2 0 \
    CONFIG.PSU__USE__S_AXI_GP2 1 \
] [get_bd_cells ps]
set ps_clock ps/pl_clk0
set ps_reset ps/pl_resetn0
set ps_master ps/M_AXI_HPM0_FPD
set ps_master_clock ps/maxihpm0_fpd_aclk
set ps_slave ps/S_AXI_HP0_FPD
set ps_slave_clock ps/saxihp0_fpd_aclk
