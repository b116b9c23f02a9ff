#!/usr/bin/env bash
# Sets up .venv and runs every check: style, types, layering, tests (C-simulation included).
# Arguments go to pytest, e.g. ./test.sh tests/nn
set -eu
cd "$(dirname "$0")"
. ./setup.sh dev
if [ $# -gt 0 ]; then
  exec python -m pytest "$@"
fi
ruff check .
ruff format --check .
mypy
lint-imports --no-cache
clang-format --dry-run --Werror hls/*.h
exec python -m pytest -n 2
