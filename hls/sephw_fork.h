// Fork: one stream becomes two to four equal ones.
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

template <class in_T, class out0_T, class out1_T, typename CONFIG>
void fork(hls::stream<in_T> &in, hls::stream<out0_T> &out0, hls::stream<out1_T> &out1) {
Issues:
    // Invariant: issue i copies beat i.
    for (unsigned i = 0; i < fork_plan<CONFIG>::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const in_T beat = in.read();
        out0.write(fork_beat<out0_T>(beat));
        out1.write(fork_beat<out1_T>(beat));
    }
}

template <class in_T, class out0_T, class out1_T, class out2_T, typename CONFIG>
void fork(hls::stream<in_T> &in, hls::stream<out0_T> &out0, hls::stream<out1_T> &out1,
          hls::stream<out2_T> &out2) {
Issues:
    // Invariant: issue i copies beat i.
    for (unsigned i = 0; i < fork_plan<CONFIG>::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const in_T beat = in.read();
        out0.write(fork_beat<out0_T>(beat));
        out1.write(fork_beat<out1_T>(beat));
        out2.write(fork_beat<out2_T>(beat));
    }
}

template <class in_T, class out0_T, class out1_T, class out2_T, class out3_T, typename CONFIG>
void fork(hls::stream<in_T> &in, hls::stream<out0_T> &out0, hls::stream<out1_T> &out1,
          hls::stream<out2_T> &out2, hls::stream<out3_T> &out3) {
Issues:
    // Invariant: issue i copies beat i.
    for (unsigned i = 0; i < fork_plan<CONFIG>::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const in_T beat = in.read();
        out0.write(fork_beat<out0_T>(beat));
        out1.write(fork_beat<out1_T>(beat));
        out2.write(fork_beat<out2_T>(beat));
        out3.write(fork_beat<out3_T>(beat));
    }
}

} // namespace sephw

#endif
