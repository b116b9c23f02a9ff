// Invert: the largest value less x.
//
// In and out: (height, width, channels), `simd` channels per beat.
// CONFIG: height, width, channels, bits, simd, issues (iterations per frame, checked).
#ifndef SEPHW_INVERT_H_
#define SEPHW_INVERT_H_

#include "sephw_common.h"

namespace sephw {

template <typename CONFIG, class in_T, class out_T>
void invert(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    static const unsigned count = CONFIG::height * CONFIG::width * CONFIG::channels / CONFIG::simd;
    static_assert(count == unsigned(CONFIG::issues), "the loop and the schedule disagree");

Issues:
    // Invariant: issue i inverts beat i.
    for (unsigned i = 0; i < count; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const in_T beat = in.read();
        out_T inverted;
        for (unsigned lane = 0; lane < CONFIG::simd; lane++) {
#pragma HLS UNROLL
            inverted[lane] = ~beat[lane];
        }
        out.write(inverted);
    }
}

} // namespace sephw

#endif
