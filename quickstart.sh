#!/usr/bin/env bash
# Sets up .venv and exports the shipped MNIST model, folded for 10,000 frames/s: QONNX, HLS project,
# simulations on real digits, bit-exactness check, report. Further arguments go to the export.
set -eu
cd "$(dirname "$0")"
. ./setup.sh data
exec python -m sephw.export models/mnist5k.pth --fps 10000 "$@"
