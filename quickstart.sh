#!/usr/bin/env bash
# Sets up .venv and exports the shipped MNIST model on real digits: QONNX, HLS project,
# C-simulation, bit-exactness check, report. Further arguments go to the export command.
set -eu
cd "$(dirname "$0")"
. ./setup.sh data
exec python -m sephw.export models/mnist5k.pth "$@"
