"""The same layer side by side: this package's engines and other open generators of hardware.

    python -m benchmarks.peers [--part NAME ...] [--work FOLDER] [--out FOLDER]

A 1-bit 3×3 convolution of 8-bit activations, synthesized by one Yosys with one script per
technology, simulated by Verilator, every output compared with numpy. Results go to
reports/published/peers.json and peers.md. What other projects publish is fetched into a throwaway
virtual environment below the work folder; nothing of theirs is kept here.
"""
