// Streams around a generated adder graph: constant sums of a whole window.
//
// In:  windows (height, width, kernel_height * kernel_width * in_channels), one per beat, in the
//      order (group, ky, kx, channel of the group).
// Out: sums (height, width, out_channels), all channels of a pixel per beat.
// CONFIG: height, width (of the output), pe = lanes out, simd = lanes in, issues (iterations per
//      frame, checked).
// Sums: static void of(const in_t x[simd], out_t y[pe]).
#ifndef SEPHW_GRAPH_ENGINE_H_
#define SEPHW_GRAPH_ENGINE_H_

#include "sephw_common.h"

namespace sephw {

template <class in_T, class out_T, typename CONFIG, class Sums>
void graph_engine(hls::stream<in_T> &in, hls::stream<out_T> &out) {
#pragma HLS INLINE
    static const unsigned issues = CONFIG::height * CONFIG::width;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");

Issues:
    // Invariant: issue i is output pixel i; nothing is kept from one to the next.
    for (unsigned i = 0; i < issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const in_T beat = in.read();
        typename in_T::value_type x[CONFIG::simd];
        typename out_T::value_type y[CONFIG::pe];
#pragma HLS ARRAY_PARTITION variable = x complete dim = 0
#pragma HLS ARRAY_PARTITION variable = y complete dim = 0
    Inputs:
        for (unsigned lane = 0; lane < CONFIG::simd; lane++) {
#pragma HLS UNROLL
            x[lane] = beat[lane];
        }
        Sums::of(x, y);
        out_T sums;
    Outputs:
        for (unsigned lane = 0; lane < CONFIG::pe; lane++) {
#pragma HLS UNROLL
            sums[lane] = y[lane];
        }
        out.write(sums);
    }
}

} // namespace sephw

#endif
