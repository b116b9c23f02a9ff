# Builds the bitstream, its .hwh and the reports:
#
#   vivado -mode batch -source vivado.tcl                  the route of settings.tcl
#   vivado -mode batch -source vivado.tcl -tclargs hls     the IP that vitis_hls.tcl has made
#   vivado -mode batch -source vivado.tcl -tclargs rtl     the SystemVerilog engines
#
# Results, beside this script: NAME.bit, NAME.hwh, reports/ROUTE. The project stays in vivado/.

set here [file dirname [file normalize [info script]]]
source [file join $here settings.tcl]
set clock_mhz [format %.6g [expr {1000.0 / $clock_ns}]]

if {[llength $argv] > 0} {
    set route [lindex $argv 0]
}
if {[lsearch -exact $routes $route] < 0} {
    error "sephw: there is no route '$route' here; use one of: [join $routes {, }]"
}

# ---- sources -----------------------------------------------------------------------------------

set sources {}
foreach source_file $accelerator_sources {
    lappend sources [file join $here $source_file]
}
if {$route eq "rtl"} {
    # The memory files (.mem) are sources as well: that is how $readmemh finds them.
    foreach source_file $rtl_sources {
        lappend sources [file join $here $source_file]
    }
    lappend sources [file join $here from_rtl sephw_accelerator.v]
} else {
    set hls_ip [file join $here hls_build solution1 impl ip]
    if {![file exists [file join $hls_ip component.xml]]} {
        error "sephw: $hls_ip holds no IP; run vitis_hls.tcl first"
    }
    lappend sources [file join $here from_hls sephw_accelerator.v]
}
foreach source_file $sources {
    if {![file exists $source_file]} {
        error "sephw: $source_file is missing; export the model again"
    }
}

# ---- project -----------------------------------------------------------------------------------

set project_dir [file join $here vivado]
create_project -force $name $project_dir -part $part

# With the board's files installed its preset sets memory, pins and reference clock of the
# processing system. Without them the part alone is enough for PYNQ: the boot loader on the card
# has set up memory and pins before the bitstream is loaded; only clocks matter, and
# processing_system.tcl sets those.
set board_part [lindex [lsort -dictionary [get_board_parts -quiet $board_parts]] end]
if {$board_part ne ""} {
    set_property board_part $board_part [current_project]
    set board_preset 1
} else {
    puts "sephw: no board files for $board_parts; explicit settings are used"
    set board_preset 0
}
add_files -norecurse $sources
update_compile_order -fileset sources_1
if {$route eq "hls"} {
    set_property ip_repo_paths [list $hls_ip] [current_project]
    update_ip_catalog
}

# ---- block design ------------------------------------------------------------------------------

proc add_ip {ip cell} {
    # The newest version that this Vivado has: versions of the same interface differ by release.
    set found [lsort -dictionary [get_ipdefs -quiet xilinx.com:ip:$ip:*]]
    if {[llength $found] == 0} {
        error "sephw: this Vivado has no IP '$ip'; install the device family of the board"
    }
    return [create_bd_cell -type ip -vlnv [lindex $found end] $cell]
}

create_bd_design design
source [file join $here processing_system.tcl]

add_ip proc_sys_reset reset
add_ip axi_dma dma
add_ip smartconnect control
add_ip smartconnect memory
add_ip axi_gpio identity
create_bd_cell -type module -reference sephw_accelerator accelerator

# Widths of the receiving side follow the stream that is connected, unless they are the user's.
set_property -dict [list \
    CONFIG.c_m_axi_s2mm_data_width.VALUE_SRC USER \
    CONFIG.c_s_axis_s2mm_tdata_width.VALUE_SRC USER \
] [get_bd_cells dma]
# Simple mode: the driver starts one transfer at a time. 26 bits of length: up to 64 MiB.
set_property -dict [list \
    CONFIG.c_include_sg 0 \
    CONFIG.c_sg_include_stscntrl_strm 0 \
    CONFIG.c_include_mm2s 1 \
    CONFIG.c_include_s2mm 1 \
    CONFIG.c_include_mm2s_dre 0 \
    CONFIG.c_include_s2mm_dre 0 \
    CONFIG.c_sg_length_width 26 \
    CONFIG.c_addr_width $address_bits \
    CONFIG.c_m_axis_mm2s_tdata_width $in_bus_bits \
    CONFIG.c_m_axi_mm2s_data_width $in_memory_bits \
    CONFIG.c_s_axis_s2mm_tdata_width $out_bus_bits \
    CONFIG.c_m_axi_s2mm_data_width $out_memory_bits \
] [get_bd_cells dma]
set_property -dict [list CONFIG.NUM_SI 1 CONFIG.NUM_MI 2] [get_bd_cells control]
set_property -dict [list CONFIG.NUM_SI 2 CONFIG.NUM_MI 1] [get_bd_cells memory]
# The build number, so that the driver knows bitstream and accelerator.json for a pair.
set_property -dict [list \
    CONFIG.C_IS_DUAL 1 \
    CONFIG.C_GPIO_WIDTH 32 \
    CONFIG.C_ALL_INPUTS 1 \
    CONFIG.C_GPIO2_WIDTH 32 \
    CONFIG.C_ALL_INPUTS_2 1 \
] [get_bd_cells identity]

# One clock for everything.
connect_bd_net [get_bd_pins $ps_clock] \
    [get_bd_pins reset/slowest_sync_clk] \
    [get_bd_pins dma/s_axi_lite_aclk] \
    [get_bd_pins dma/m_axi_mm2s_aclk] \
    [get_bd_pins dma/m_axi_s2mm_aclk] \
    [get_bd_pins control/aclk] \
    [get_bd_pins memory/aclk] \
    [get_bd_pins identity/s_axi_aclk] \
    [get_bd_pins accelerator/ap_clk] \
    [get_bd_pins $ps_master_clock] \
    [get_bd_pins $ps_slave_clock]
connect_bd_net [get_bd_pins $ps_reset] [get_bd_pins reset/ext_reset_in]
connect_bd_net [get_bd_pins reset/peripheral_aresetn] \
    [get_bd_pins dma/axi_resetn] \
    [get_bd_pins identity/s_axi_aresetn] \
    [get_bd_pins control/aresetn] \
    [get_bd_pins memory/aresetn] \
    [get_bd_pins accelerator/ap_rst_n]

connect_bd_intf_net [get_bd_intf_pins $ps_master] [get_bd_intf_pins control/S00_AXI]
connect_bd_intf_net [get_bd_intf_pins control/M00_AXI] [get_bd_intf_pins dma/S_AXI_LITE]
connect_bd_intf_net [get_bd_intf_pins control/M01_AXI] [get_bd_intf_pins identity/S_AXI]
connect_bd_intf_net [get_bd_intf_pins dma/M_AXI_MM2S] [get_bd_intf_pins memory/S00_AXI]
connect_bd_intf_net [get_bd_intf_pins dma/M_AXI_S2MM] [get_bd_intf_pins memory/S01_AXI]
connect_bd_intf_net [get_bd_intf_pins memory/M00_AXI] [get_bd_intf_pins $ps_slave]
connect_bd_intf_net [get_bd_intf_pins dma/M_AXIS_MM2S] [get_bd_intf_pins accelerator/s_axis]
connect_bd_intf_net [get_bd_intf_pins accelerator/m_axis] [get_bd_intf_pins dma/S_AXIS_S2MM]
connect_bd_net [get_bd_pins accelerator/build_id_low] [get_bd_pins identity/gpio_io_i]
connect_bd_net [get_bd_pins accelerator/build_id_high] [get_bd_pins identity/gpio2_io_i]

if {$route eq "hls"} {
    create_bd_cell -type ip -vlnv sephw:hls:$hls_top:1.0 network
    connect_bd_net [get_bd_pins $ps_clock] [get_bd_pins network/ap_clk]
    connect_bd_net [get_bd_pins reset/peripheral_aresetn] [get_bd_pins network/ap_rst_n]
    connect_bd_intf_net [get_bd_intf_pins accelerator/in_axis] [get_bd_intf_pins network/s_axis]
    connect_bd_intf_net [get_bd_intf_pins network/m_axis] [get_bd_intf_pins accelerator/out_axis]
}

assign_bd_address
validate_bd_design
save_bd_design
# One synthesis of everything: memory files (.mem) are looked for in the project's own run, and
# utilization is that of the whole design.
set_property synth_checkpoint_mode None [get_files design.bd]
generate_target all [get_files design.bd]
add_files -norecurse [make_wrapper -files [get_files design.bd] -top]
set_property top design_wrapper [current_fileset]
update_compile_order -fileset sources_1

# ---- synthesis, implementation -----------------------------------------------------------------

proc finish {run} {
    wait_on_run $run
    if {[get_property PROGRESS [get_runs $run]] ne "100%"} {
        error "sephw: $run failed; see [get_property DIRECTORY [get_runs $run]]/runme.log"
    }
}

launch_runs synth_1 -jobs 4
finish synth_1
launch_runs impl_1 -to_step write_bitstream -jobs 4
finish impl_1

set reports [file join $here reports $route]
file mkdir $reports
open_run impl_1
report_utilization -file [file join $reports utilization.rpt]
report_utilization -hierarchical -file [file join $reports utilization_hierarchical.rpt]
report_timing_summary -file [file join $reports timing_summary.rpt]

# The bitstream is handed out only where the clock holds; reports are there in either case.
foreach {delay_type what} {max setup min hold} {
    set slack [get_property SLACK [get_timing_paths -delay_type $delay_type -max_paths 1]]
    if {$slack < 0} {
        error "sephw: timing is not met at $clock_ns ns: $what slack $slack ns; set a longer\
            clock_ns in settings.tcl or use another folding; see\
            [file join $reports timing_summary.rpt]"
    }
}

# Vivado before 2020.2 keeps generated files in .srcs, later ones in .gen.
set handoff [glob -nocomplain \
    [file join $project_dir $name.gen sources_1 bd design hw_handoff design.hwh] \
    [file join $project_dir $name.srcs sources_1 bd design hw_handoff design.hwh]]
if {[llength $handoff] == 0} {
    error "sephw: Vivado wrote no design.hwh under $project_dir; PYNQ needs it"
}
file copy -force [file join $project_dir $name.runs impl_1 design_wrapper.bit] \
    [file join $here $name.bit]
file copy -force [lindex $handoff 0] [file join $here $name.hwh]
puts "sephw: $name.bit and $name.hwh are ready; copy them to the board with accelerator.json and\
    driver.py"
