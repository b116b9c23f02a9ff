#!/bin/sh
# From here to NAME.bit and NAME.hwh with AMD's tools, which must be on the PATH:
#
#   ./build.sh          the route of settings.tcl
#   ./build.sh hls      Vitis HLS makes an IP of the C++ project, Vivado the bitstream
#   ./build.sh rtl      Vivado makes the bitstream of the SystemVerilog engines
set -eu
cd -- "$(dirname -- "$0")"
route=${1:-$(sed -n 's/^set route {\(.*\)}$/\1/p' settings.tcl)}

fail() {
    echo "sephw: error: $1" >&2
    exit 2
}

need_vivado() {
    command -v vivado > /dev/null ||
        fail "vivado is not on the PATH; source settings64.sh of your installation"
}

case $route in
hls)
    need_vivado
    # vitis-run takes the place of vitis_hls from 2024.1 on.
    if command -v vitis-run > /dev/null; then
        vitis-run --mode hls --tcl vitis_hls.tcl
    elif command -v vitis_hls > /dev/null; then
        vitis_hls -f vitis_hls.tcl
    else
        fail "neither vitis-run nor vitis_hls is on the PATH; source settings64.sh of Vitis"
    fi
    ;;
rtl) need_vivado ;;
*) fail "there is no route '$route'; use ./build.sh hls or ./build.sh rtl" ;;
esac
vivado -mode batch -source vivado.tcl -tclargs "$route"
