// GlobalPool: the sum of each channel over all pixels.
//
// In:  (height, width, channels), `simd` channels per beat.
// Out: (1, 1, channels), `simd` channels per beat.
// CONFIG: height, width (of the input), channels, simd, issues (iterations per frame, checked).
#ifndef SEPHW_GLOBAL_POOL_H_
#define SEPHW_GLOBAL_POOL_H_

#include "sephw_sum_pool.h"

namespace sephw {

template <typename CONFIG, class in_T, class out_T>
void global_pool(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    static const unsigned words = CONFIG::channels / CONFIG::simd;
    static const unsigned pixels = CONFIG::height * CONFIG::width;
    static const unsigned issues = pixels * words;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");
    sum_pool<in_T, out_T, words, pixels, CONFIG::simd, issues>(in, out);
}

} // namespace sephw

#endif
