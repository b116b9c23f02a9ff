"""Pins, interfaces and parameters of the cells in a block design.

From the vendor's product guides: PG021 (AXI DMA), PG144 (AXI GPIO), PG164 (Processor System Reset),
PG247 (SmartConnect), PG082 and PG201 (processing systems).
"""

from __future__ import annotations

VERSIONS = {
    "axi_dma": "7.1",
    "axi_gpio": "2.0",
    "proc_sys_reset": "5.0",
    "smartconnect": "1.0",
    "processing_system7": "5.5",
    "zynq_ultra_ps_e": "3.5",
}
CLOCKS = {
    "axi_dma": ("s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk"),
    "axi_gpio": ("s_axi_aclk",),
    "proc_sys_reset": ("slowest_sync_clk",),
    "smartconnect": ("aclk",),
    "sephw_accelerator": ("ap_clk",),
    "hls_network": ("ap_clk",),
}
RESETS = {
    "axi_dma": ("axi_resetn",),
    "axi_gpio": ("s_axi_aresetn",),
    "smartconnect": ("aresetn",),
    "proc_sys_reset": ("ext_reset_in",),
    "sephw_accelerator": ("ap_rst_n",),
    "hls_network": ("ap_rst_n",),
}
DRIVERS = {
    "proc_sys_reset": ("peripheral_aresetn", "interconnect_aresetn"),
    "sephw_accelerator": ("build_id_low", "build_id_high"),
}
CLOCK_SOURCES, RESET_SOURCES = ("FCLK_CLK0", "pl_clk0"), ("FCLK_RESET0_N", "pl_resetn0")
# (interface, side): a connection joins a master and a slave of one protocol.
INTERFACES = {
    "axi_dma": {
        "S_AXI_LITE": "slave axi",
        "M_AXI_MM2S": "master axi",
        "M_AXI_S2MM": "master axi",
        "M_AXIS_MM2S": "master axis",
        "S_AXIS_S2MM": "slave axis",
    },
    "axi_gpio": {"S_AXI": "slave axi"},
    "hls_network": {"s_axis": "slave axis", "m_axis": "master axis"},
}
# Ports of the processing systems by the parameter that makes them: interface, side, clock.
PS_PORTS = {
    "processing_system7": {
        "PCW_USE_M_AXI_GP0": ("M_AXI_GP0", "master axi", "M_AXI_GP0_ACLK"),
        "PCW_USE_S_AXI_HP0": ("S_AXI_HP0", "slave axi", "S_AXI_HP0_ACLK"),
    },
    "zynq_ultra_ps_e": {
        "PSU__USE__M_AXI_GP0": ("M_AXI_HPM0_FPD", "master axi", "maxihpm0_fpd_aclk"),
        "PSU__USE__M_AXI_GP1": ("M_AXI_HPM1_FPD", "master axi", "maxihpm1_fpd_aclk"),
        "PSU__USE__M_AXI_GP2": ("M_AXI_HPM0_LPD", "master axi", "maxihpm0_lpd_aclk"),
        "PSU__USE__S_AXI_GP2": ("S_AXI_HP0_FPD", "slave axi", "saxihp0_fpd_aclk"),
    },
}
PS_OUTPUTS = {
    "processing_system7": {"PCW_EN_CLK0_PORT": "FCLK_CLK0", "PCW_EN_RST0_PORT": "FCLK_RESET0_N"},
    "zynq_ultra_ps_e": {"PSU__FPGA_PL0_ENABLE": "pl_clk0", "PSU__USE__FABRIC__RST": "pl_resetn0"},
}
# What a new cell has, the presets of the boards included.
DEFAULTS = {
    "zynq_ultra_ps_e": {
        "PSU__USE__M_AXI_GP0": "1",
        "PSU__USE__M_AXI_GP1": "1",
        "PSU__USE__M_AXI_GP2": "0",
        "PSU__USE__FABRIC__RST": "1",
    },
    "axi_gpio": {"C_IS_DUAL": "0"},
}
PARAMETERS = {
    "axi_dma": {
        "c_include_sg",
        "c_sg_include_stscntrl_strm",
        "c_include_mm2s",
        "c_include_s2mm",
        "c_include_mm2s_dre",
        "c_include_s2mm_dre",
        "c_sg_length_width",
        "c_addr_width",
        "c_m_axis_mm2s_tdata_width",
        "c_m_axi_mm2s_data_width",
        "c_s_axis_s2mm_tdata_width",
        "c_m_axi_s2mm_data_width",
        "c_m_axi_s2mm_data_width.VALUE_SRC",
        "c_s_axis_s2mm_tdata_width.VALUE_SRC",
    },
    "axi_gpio": {"C_GPIO_WIDTH", "C_ALL_INPUTS", "C_IS_DUAL", "C_GPIO2_WIDTH", "C_ALL_INPUTS_2"},
    "smartconnect": {"NUM_SI", "NUM_MI"},
    "processing_system7": {
        "PCW_FPGA0_PERIPHERAL_FREQMHZ",
        "PCW_CRYSTAL_PERIPHERAL_FREQMHZ",
        *PS_PORTS["processing_system7"],
        *PS_OUTPUTS["processing_system7"],
    },
    "zynq_ultra_ps_e": {
        "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ",
        "PSU__PSS_REF_CLK__FREQMHZ",
        *PS_PORTS["zynq_ultra_ps_e"],
        *PS_OUTPUTS["zynq_ultra_ps_e"],
    },
}
