#!/usr/bin/env bash
# Sets up .venv and exports the shipped MNIST model, folded for 10,000 frames/s: QONNX, HLS project,
# simulations on real digits, bit-exactness check, report. Further arguments go to the export.
set -eu
cd "$(dirname "$0")"
before=$(command -v sephw || true)
. ./setup.sh data
python -m sephw.export models/mnist5k.pth --fps 10000 "$@"
# The command that it prints is for the shell that called, which may not know sephw yet.
[ -n "$before" ] || echo "shell    . ./setup.sh data,fpga   # puts sephw and what synthesis needs on the PATH" >&2
