# Sourced by quickstart.sh and test.sh: a virtual environment in .venv with sephw and its needs.
# Usage: . ./setup.sh EXTRAS      (EXTRAS: data | data,fpga | test | dev)

missing=""
for tool in g++ make perl; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  echo "sephw: error: not found:$missing; install with: sudo apt-get install -y g++ make perl" >&2
  exit 2
fi
python=$(command -v python3.11 || command -v python3) || {
  echo "sephw: error: no python3 on the PATH; install with: sudo apt-get install -y python3 python3-venv" >&2
  exit 2
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "sephw: error: $("$python" --version) is too old; Python 3.11 or later is needed" >&2
  exit 2
}
if [ ! -x .venv/bin/python ]; then
  "$python" -m venv .venv || {
    echo "sephw: error: cannot make a virtual environment; install with: sudo apt-get install -y python3-venv" >&2
    exit 2
  }
fi
. .venv/bin/activate
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
stamp=".venv/.sephw-$1-$(cksum pyproject.toml | cut -d' ' -f1)"
if [ ! -f "$stamp" ]; then
  echo "Installing into .venv (once) ..." >&2
  # torch first and alone: a newer one, or one with several GB of CUDA, must not come in with others.
  # Modules are compiled at the end, on all processors (pip uses one); templates do not compile.
  python -m pip install --quiet --disable-pip-version-check --no-compile torch==2.13.0 &&
    python -m pip install --quiet --disable-pip-version-check --no-compile -e ".[$1]" &&
    { python -m compileall -qq -j 0 .venv/lib >/dev/null 2>&1 || true; } && touch "$stamp" || {
    echo "sephw: error: pip could not install the packages; its message is above" >&2
    exit 2
  }
fi
case "$1" in
  *fpga*)
    python -c 'import ctypes; [ctypes.CDLL(f"lib{n}") for n in ("ftdi1.so.2", "usb-1.0.so.0", "udev.so.1")]' \
      2>/dev/null || echo "sephw: note: sephw program needs libraries of the system: sudo apt-get install -y libftdi1-2 libusb-1.0-0 libudev1" >&2
    ;;
esac
