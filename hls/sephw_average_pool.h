// AveragePool: the sum of each channel over a window; the division by a power of two follows.
//
// In:  windows (height, width, kernel_height * kernel_width * channels), `simd` values per beat,
//      per pixel in the order (group, ky, kx, channel of the group).
// Out: (height, width, channels) of sums, `simd` channels per beat.
// CONFIG: height, width (of the output), channels, kernel_height, kernel_width, groups, simd,
//      issues (iterations per frame, checked). simd divides channels / groups.
#ifndef SEPHW_AVERAGE_POOL_H_
#define SEPHW_AVERAGE_POOL_H_

#include "sephw_common.h"

namespace sephw {

template <class in_T, class out_T, typename CONFIG>
void average_pool(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    static const unsigned words = CONFIG::channels / CONFIG::groups / CONFIG::simd;
    static const unsigned taps = CONFIG::kernel_height * CONFIG::kernel_width;
    static const unsigned issues = CONFIG::height * CONFIG::width * CONFIG::groups * taps * words;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");

    out_T sums[words];
#pragma HLS ARRAY_PARTITION variable = sums complete dim = 0

    unsigned word = 0, tap = 0;

Issues:
    // Invariant: sums[w] is the sum of word w over the group's taps before (tap, word).
    for (unsigned i = 0; i < issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const in_T beat = in.read();
        const out_T before = sums[word];
        out_T sum;
        for (unsigned lane = 0; lane < CONFIG::simd; lane++) {
#pragma HLS UNROLL
            const typename out_T::value_type start =
                tap == 0 ? typename out_T::value_type(0) : before[lane];
            sum[lane] = start + beat[lane];
        }
        sums[word] = sum;
        if (tap + 1 == taps)
            out.write(sum);
        if (++word == words) {
            word = 0;
            tap = tap + 1 == taps ? 0 : tap + 1;
        }
    }
}

} // namespace sephw

#endif
