"""Run by the other environment's Python: NNgen's Verilog of the layer, and a test module for it.

    python nngen_generate.py FOLDER SETTINGS_AS_JSON

FOLDER has patterns.npy and images.npy. Writes layer.v (the accelerator), test.v (it, a memory on
its AXI port, and a controller that runs it once per image), memory.out, and prints the address of
the output. The controller prints the cycles of each run and the output of the last one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nngen as ng  # type: ignore[import-not-found]
import numpy as np
import veriloggen.thread as vthread  # type: ignore[import-not-found]
from veriloggen import Module, Not, Seq  # type: ignore[import-not-found]
from veriloggen.types import axi  # type: ignore[import-not-found]

folder, s = Path(sys.argv[1]), json.loads(sys.argv[2])
patterns, images = np.load(folder / "patterns.npy"), np.load(folder / "images.npy")
size, channels = images.shape[1], images.shape[3]
act_type = ng.dtype_int(s["act_bits"], signed=s["act_signed"])
binary = s["weight_bits"] == 1
weight_type = ng.uint1 if binary else ng.dtype_int(s["weight_bits"])
act = ng.placeholder(act_type, shape=(1, size, size, channels), name="act")
weight = ng.placeholder(weight_type, shape=patterns.shape, name="weight")
out = (ng.binary_weight_conv2d if binary else ng.conv2d)(
    act,
    weight,
    (1, 1, 1, 1),
    padding="SAME",
    dtype=ng.int32,
    mul_dtype=ng.int32,
    sum_dtype=ng.int32,
    name="conv",
    par_ich=s["par_ich"],
    par_och=s["par_och"],
)
config = {"maxi_datawidth": s["axi_bits"], "min_onchip_ram_capacity": s["ram_words"]}
target = ng.to_veriloggen([out], "nngen_layer", silent=True, config=config)
target.to_verilog(str(folder / "layer.v"))

WORD = 32
memory = np.zeros(1 << 18, np.int64)
for tensor, dtype, values in (
    (act, act_type, images[-1:]),
    (weight, weight_type, (patterns > 0).astype(np.int64) if binary else patterns),
):
    alignment = max(-(-s["axi_bits"] // dtype.width), s["par_ich"])
    axi.set_memory(memory, values, WORD, dtype.width, tensor.addr, alignment)

m = Module("test")
clk, resetn = m.Input("CLK"), m.Input("RESETN")
params = m.copy_params(target)
ports = m.copy_sim_ports(target, exclude=("CLK", "RESETN"))
ports["CLK"], ports["RESETN"] = clk, resetn
rst = m.Wire("RST")
rst.assign(Not(resetn))
model = axi.AxiMemoryModel(
    m,
    "memory",
    clk,
    rst,
    datawidth=s["axi_bits"],
    memimg=memory,
    memimg_name=str(folder / "memory.out"),
    memimg_datawidth=WORD,
)
model.connect(ports, "maxi")
control = vthread.AXIMLite(m, "control", clk, rst, noio=True)
control.connect(ports, "saxi")
cycle = m.Reg("cycle", 32, initval=0)
Seq(m, "seq", clk, rst)(cycle.inc())
RUNS, WORDS = 2, size * size * channels


def controller() -> None:
    for _ in range(RUNS):
        began = cycle.value
        ng.sim.start(control)
        ng.sim.wait(control)
        print("cycles %d" % (cycle.value - began))  # noqa: UP031 - becomes $display
    for index in range(WORDS):
        value = model.read_word(index, out.addr, WORD)
        print("out %d" % value)  # noqa: UP031
    vthread.finish()


vthread.Thread(m, "controller", clk, rst, controller).start()
m.Instance(target, "dut", params=m.connect_params(target), ports=m.connect_ports(target))
m.to_verilog(str(folder / "test.v"))
