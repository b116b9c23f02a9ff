// GlobalPool: the sum of each channel over all pixels.
//
// In:  (height, width, channels), `simd` channels per beat.
// Out: (1, 1, channels), `simd` channels per beat.
// CONFIG: height, width (of the input), channels, simd, issues (iterations per frame, checked).
#ifndef SEPHW_GLOBAL_POOL_H_
#define SEPHW_GLOBAL_POOL_H_

#include "sephw_common.h"

namespace sephw {

template <class in_T, class out_T, typename CONFIG>
void global_pool(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    static const unsigned words = CONFIG::channels / CONFIG::simd;
    static const unsigned pixels = CONFIG::height * CONFIG::width;
    static const unsigned issues = pixels * words;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");

    out_T sums[words];
#pragma HLS ARRAY_PARTITION variable = sums complete dim = 0

    unsigned word = 0, pixel = 0;

Issues:
    // Invariant: sums[w] is the sum of word w over the pixels before (pixel, word).
    for (unsigned i = 0; i < issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const in_T beat = in.read();
        const out_T before = sums[word];
        out_T sum;
        for (unsigned lane = 0; lane < CONFIG::simd; lane++) {
#pragma HLS UNROLL
            const typename out_T::value_type start =
                pixel == 0 ? typename out_T::value_type(0) : before[lane];
            sum[lane] = start + beat[lane];
        }
        sums[word] = sum;
        if (pixel + 1 == pixels)
            out.write(sum);
        if (++word == words) {
            word = 0;
            pixel++;
        }
    }
}

} // namespace sephw

#endif
