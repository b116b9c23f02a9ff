"""RTL of the pools that add: rtl/sephw_sum_pool.sv in a wrapper with each pool's parameters."""

from __future__ import annotations

from dataclasses import replace

from sephw.ir import RtlInstance
from sephw.ops.port_wrapper import PortWrapper, StreamPort, by_name


def sum_pool_instance(instance: RtlInstance, about: str, *, words: str, turns: str) -> RtlInstance:
    """``instance`` with its module: ``words`` beats per turn, ``turns`` turns per sum.

    Both are expressions of the instance's parameters, among which are SIMD, IN_BITS, IN_SIGNED and
    OUT_BITS.
    """
    wrapper = PortWrapper(
        instance.module,
        "sephw_sum_pool",
        about=(about, "", "Order of the beats, timing and invariant: sephw_sum_pool.sv."),
        inputs=(StreamPort("SIMD*IN_BITS", "s_axis"),),
        outputs=(StreamPort("SIMD*OUT_BITS", "m_axis"),),
        settings=(
            ("WORDS", words),
            ("TURNS", turns),
            *by_name(("SIMD", "IN_BITS", "IN_SIGNED", "OUT_BITS")),
            ("FIFO_DEPTH", "FIFO_DEPTH_0"),
        ),
        parameters=tuple((name, 1) for name, _ in instance.parameters),
    )
    return replace(instance, generated=(wrapper.source,))
