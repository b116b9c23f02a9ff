# C-simulates, synthesizes and packages the HLS project behind AXI-Streams of whole bytes:
#
#   vitis_hls -f vitis_hls.tcl                        up to 2024.2
#   vitis-run --mode hls --tcl vitis_hls.tcl          2024.1 and later; the only way since 2025.1
#
# Result: the IP sephw:hls:TOP:1.0 in hls_build/solution1/impl/ip, which vivado.tcl takes. It has no
# TLAST; for a DMA in a block design of your own put sephw_axis_frame.sv behind it.

set here [file dirname [file normalize [info script]]]
source [file join $here settings.tcl]
if {[lsearch -exact $routes hls] < 0} {
    error "sephw: this export has no HLS project; export with the step hls"
}
set hls [file join $here $hls_project]
set flags -std=c++14

# The testbench looks for tb_data and weights where it is run; the tool copies them there.
cd $here
open_project -reset hls_build
set_top $hls_top
add_files [file join $here sephw_axis_top.cpp] -cflags $flags
add_files [file join $hls firmware $network.cpp] -cflags $flags
add_files -tb [file join $here sephw_axis_test.cpp] -cflags $flags
add_files -tb [file join $hls firmware weights]
add_files -tb [file join $hls tb_data]
open_solution -reset -flow_target vivado solution1
set_part $part
create_clock -period $clock_ns -name default
set_clock_uncertainty 27% default
# Flushable pipelines: beats that are finished leave even while the input waits.
config_compile -name_max_length 80 -pipeline_style flp
csim_design
csynth_design
export_design -format ip_catalog -vendor sephw -library hls -ipname $hls_top -version 1.0
file mkdir [file join $here reports hls]
file copy -force [file join $here hls_build solution1 syn report csynth.xml] \
    [file join $here reports hls csynth.xml]
puts "sephw: the network is synthesized; go on with vivado.tcl -tclargs hls"
exit
