// Concat: the channels of several streams side by side, pixel by pixel.
//
// In:  (height, width, channels of input j), `simd` channels per beat each; any number of inputs.
// Out: (height, width, all channels), `simd` channels per beat: per pixel input 0, then input 1 and
//      so on.
// CONFIG: height, width, simd, ends (integers<...>: beats of a pixel up to and with input 0, 1,
// ...),
//      issues (iterations per frame, checked).
#ifndef SEPHW_CONCAT_H_
#define SEPHW_CONCAT_H_

#include "sephw_common.h"

namespace sephw {

// Beat types are distinct when element types are spelled differently; their lanes are equal.
template <class out_T, class in_T> out_T concat_beat(hls::stream<in_T> &in) {
#pragma HLS INLINE
    const in_T beat = in.read();
    out_T copy;
    for (unsigned lane = 0; lane < in_T::size; lane++) {
#pragma HLS UNROLL
        copy[lane] = beat[lane];
    }
    return copy;
}

// `take` has the next beat of the input that makes beat `word` of a pixel; `words` are its beats.
template <class ENDS> struct concat_turns;

template <unsigned END> struct concat_turns<integers<END>> {
    static const unsigned words = END;

    template <class out_T, class in_T> static out_T take(unsigned, hls::stream<in_T> &in) {
#pragma HLS INLINE
        return concat_beat<out_T>(in);
    }
};

template <unsigned END, unsigned NEXT, unsigned... MORE>
struct concat_turns<integers<END, NEXT, MORE...>> {
    typedef concat_turns<integers<NEXT, MORE...>> later;
    static const unsigned words = later::words;

    template <class out_T, class in_T, class... more_T>
    static out_T take(unsigned word, hls::stream<in_T> &in, hls::stream<more_T> &...more) {
#pragma HLS INLINE
        if (word < END)
            return concat_beat<out_T>(in);
        return later::template take<out_T>(word, more...);
    }
};

template <typename CONFIG> struct concat_plan {
    typedef concat_turns<typename CONFIG::ends> turns;
    static const unsigned words = turns::words;
    static const unsigned issues = CONFIG::height * CONFIG::width * words;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");
};

template <typename CONFIG, class out_T, class... in_T>
void concat(hls::stream<out_T> &out, hls::stream<in_T> &...in) {
    typedef concat_plan<CONFIG> plan;
    unsigned word = 0;
Issues:
    // Invariant: issue i makes beat i; word = i mod words.
    for (unsigned i = 0; i < plan::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        out.write(plan::turns::template take<out_T>(word, in...));
        word = word + 1 == plan::words ? 0 : word + 1;
    }
}

} // namespace sephw

#endif
