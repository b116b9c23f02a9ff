// MaxPool: the maximum of each channel over a window.
//
// In:  windows (height, width, kernel_height * kernel_width * channels), `simd` values per beat,
//      per pixel in the order (group, ky, kx, channel of the group).
// Out: (height, width, channels), `simd` channels per beat.
// CONFIG: height, width (of the output), channels, kernel_height, kernel_width, groups, simd,
//      issues (iterations per frame, checked). simd divides channels / groups.
#ifndef SEPHW_MAX_POOL_H_
#define SEPHW_MAX_POOL_H_

#include "sephw_pool_store.h"

namespace sephw {

template <typename CONFIG> struct max_pool_loop {
    template <class in_T, class out_T, unsigned words>
    static void issues(hls::stream<in_T> &in, hls::stream<out_T> &out, out_T (&maxima)[words]) {
#pragma HLS INLINE
        static const unsigned taps = CONFIG::kernel_height * CONFIG::kernel_width;
        static const unsigned count =
            CONFIG::height * CONFIG::width * CONFIG::groups * taps * words;
        static_assert(count == unsigned(CONFIG::issues), "the loop and the schedule disagree");
        unsigned word = 0, tap = 0;

    Issues:
        // Invariant: maxima[w] is the maximum of word w over the group's taps before (tap, word).
        for (unsigned i = 0; i < count; i++) {
#pragma HLS PIPELINE II = 1 style = flp
            const in_T beat = in.read();
            const out_T before = maxima[word];
            out_T best;
            for (unsigned lane = 0; lane < CONFIG::simd; lane++) {
#pragma HLS UNROLL
                best[lane] = tap == 0 || beat[lane] > before[lane] ? beat[lane] : before[lane];
            }
            maxima[word] = best;
            if (tap + 1 == taps)
                out.write(best);
            if (++word == words) {
                word = 0;
                tap = tap + 1 == taps ? 0 : tap + 1;
            }
        }
    }
};

template <typename CONFIG, class in_T, class out_T>
void max_pool(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    static const unsigned words = CONFIG::channels / CONFIG::groups / CONFIG::simd;
    run_pool<max_pool_loop<CONFIG>, in_T, out_T, words>(in, out);
}

} // namespace sephw

#endif
