// AveragePool: the sum of each channel over a window; the division by a power of two follows.
//
// In:  windows (height, width, kernel_height * kernel_width * channels), `simd` values per beat,
//      per pixel in the order (group, ky, kx, channel of the group).
// Out: (height, width, channels) of sums, `simd` channels per beat.
// CONFIG: height, width (of the output), channels, kernel_height, kernel_width, groups, simd,
//      issues (iterations per frame, checked). simd divides channels / groups.
#ifndef SEPHW_AVERAGE_POOL_H_
#define SEPHW_AVERAGE_POOL_H_

#include "sephw_sum_pool.h"

namespace sephw {

template <typename CONFIG, class in_T, class out_T>
void average_pool(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    static const unsigned words = CONFIG::channels / CONFIG::groups / CONFIG::simd;
    static const unsigned taps = CONFIG::kernel_height * CONFIG::kernel_width;
    static const unsigned issues = CONFIG::height * CONFIG::width * CONFIG::groups * taps * words;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");
    sum_pool<in_T, out_T, words, taps, CONFIG::simd, issues>(in, out);
}

} // namespace sephw

#endif
