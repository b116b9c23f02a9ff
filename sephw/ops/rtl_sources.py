"""Source files in rtl/ that several engines instantiate."""

from __future__ import annotations

# An engine's output: credits and FIFO.
RTL_OUTPUT = ("sephw_output.sv", "sephw_fifo.sv", "sephw_credit.sv")
# Values that are carried from pixel to pixel, one per word of a pixel, and the words' counter.
RTL_TURNS = ("sephw_turn_store.sv", "sephw_ram.sv", "sephw_modulo_counter.sv")
# Sums over the pixels of a window or of a map.
RTL_SUM_POOL = ("sephw_sum_pool.sv", *RTL_TURNS, *RTL_OUTPUT)
