"""Modules around rtl/sephw_conv_engine.sv: weights from a memory, or from a stream."""

from __future__ import annotations

from sephw.ops.port_wrapper import PortWrapper, StreamPort, by_name

_SIZES = (
    "GROUPS",
    "NEURON_FOLDS",
    "SYNAPSE_FOLDS",
    "PE",
    "SIMD",
    "IN_BITS",
    "IN_SIGNED",
    "OUT_BITS",
)
# Parameters that an engine may leave away, with what they are then.
_OF_PATTERNS = (("ADDER_LEVELS", 1), ("CORRECTION_BITS", 1))
_OF_PRODUCTS = (("LUT_MULTIPLIERS", 0),)
_PATTERN_LATENCY = "6 + ceil(ceil(log2 SIMD) / ADDER_LEVELS) cycles"
_PRODUCT_LATENCY = "7 + ceil(log2 SIMD) cycles, with LUT_MULTIPLIERS 2 more"
_CORE = "sephw_conv_engine"
_SEE = f"Parameters, order of the streams, timing and invariant: {_CORE}.sv."
_WINDOW = StreamPort("SIMD*IN_BITS", "s_axis")
_SUMS = StreamPort("PE*OUT_BITS", "m_axis")
_DEPTH = ("FIFO_DEPTH", "FIFO_DEPTH_0")


def pattern_wrapper(module: str) -> PortWrapper:
    """Weights of one bit from a memory."""
    files = ("PATTERNS_FILE", "CORRECTIONS_FILE")
    return PortWrapper(
        module,
        _CORE,
        about=(
            "PatternConv: sums of +x and -x; a stored bit of 0 adds, 1 subtracts.",
            "",
            f"{_SEE} PATTERNS_FILE is",
            f"its WEIGHTS_FILE. Latency {_PATTERN_LATENCY}.",
        ),
        inputs=(_WINDOW,),
        outputs=(_SUMS,),
        settings=(
            *by_name((*_SIZES, *(name for name, _ in _OF_PATTERNS), "CORRECTIONS_FILE")),
            ("WEIGHTS_FILE", "PATTERNS_FILE"),
            ("PATTERN", "1"),
            _DEPTH,
        ),
        parameters=(*((name, 1) for name in _SIZES), *_OF_PATTERNS),
        files=files,
        unused_inputs=("s_weights",),
    )


def product_wrapper(module: str) -> PortWrapper:
    """8-bit weights from a memory."""
    return PortWrapper(
        module,
        _CORE,
        about=(
            "Conv8: sums of x * w with 8-bit weights; also linear layers, 1 x 1 kernels on a 1 x 1",
            "map.",
            "",
            _SEE,
            f"Latency {_PRODUCT_LATENCY}.",
        ),
        inputs=(_WINDOW,),
        outputs=(_SUMS,),
        settings=(
            *by_name((*_SIZES, *(name for name, _ in _OF_PRODUCTS), "WEIGHTS_FILE")),
            ("PATTERN", "0"),
            _DEPTH,
        ),
        parameters=(*((name, 1) for name in _SIZES), *_OF_PRODUCTS),
        files=("WEIGHTS_FILE",),
        unused_inputs=("s_weights",),
    )


def streamed_wrapper(module: str) -> PortWrapper:
    """Weights of either kind from input 1."""
    parameters = (("PATTERN", 1), *((name, 1) for name in _SIZES), *_OF_PATTERNS, *_OF_PRODUCTS)
    return PortWrapper(
        module,
        _CORE,
        about=(
            "StreamedConv: sums of +x and -x (PATTERN 1), of x * w with 8-bit weights (PATTERN 0).",
            "",
            _SEE,
            "In 1: a word of PE x SIMD weights per issue, SIMD innermost, in the order of issues:",
            "  all words of the layer for each output pixel. Of patterns 0 adds and 1 subtracts.",
            f"Latency of patterns {_PATTERN_LATENCY};",
            f"  of 8-bit weights {_PRODUCT_LATENCY}.",
        ),
        inputs=(_WINDOW, StreamPort("PE*SIMD*(PATTERN != 0 ? 1 : 8)", "s_weights")),
        outputs=(_SUMS,),
        settings=(
            *by_name((*(name for name, _ in parameters), "CORRECTIONS_FILE")),
            ("STREAM_WEIGHTS", "1"),
            _DEPTH,
        ),
        parameters=parameters,
        files=("CORRECTIONS_FILE",),
    )
