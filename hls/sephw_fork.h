// Fork: one stream becomes several equal ones, any number of them.
//
// In and out: (height, width, channels), `simd` channels per beat.
// CONFIG: height, width, channels, simd, issues (iterations per frame, checked).
#ifndef SEPHW_FORK_H_
#define SEPHW_FORK_H_

#include "sephw_common.h"

namespace sephw {

template <typename CONFIG> struct fork_plan {
    static const unsigned issues = CONFIG::height * CONFIG::width * CONFIG::channels / CONFIG::simd;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");
};

// Beat types are distinct when element types are spelled differently; their lanes are equal.
template <class out_T, class in_T> out_T fork_beat(const in_T &beat) {
#pragma HLS INLINE
    out_T copy;
    for (unsigned lane = 0; lane < in_T::size; lane++) {
#pragma HLS UNROLL
        copy[lane] = beat[lane];
    }
    return copy;
}

template <class in_T> void fork_write(const in_T &) {}

template <class in_T, class out_T, class... more_T>
void fork_write(const in_T &beat, hls::stream<out_T> &out, hls::stream<more_T> &...more) {
#pragma HLS INLINE
    out.write(fork_beat<out_T>(beat));
    fork_write(beat, more...);
}

template <typename CONFIG, class in_T, class... out_T>
void fork(hls::stream<in_T> &in, hls::stream<out_T> &...out) {
Issues:
    // Invariant: issue i copies beat i.
    for (unsigned i = 0; i < fork_plan<CONFIG>::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const in_T beat = in.read();
        fork_write(beat, out...);
    }
}

} // namespace sephw

#endif
