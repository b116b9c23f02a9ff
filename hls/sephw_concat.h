// Concat: the channels of two to eight streams side by side, pixel by pixel.
//
// In:  (height, width, channels of input j), `simd` channels per beat each.
// Out: (height, width, all channels), `simd` channels per beat: per pixel input 0, then input 1,
// ... CONFIG: height, width, simd, end_<j> (beats of a pixel up to and with input j), issues
//      (iterations per frame, checked).
#ifndef SEPHW_CONCAT_H_
#define SEPHW_CONCAT_H_

#include "sephw_common.h"

namespace sephw {

// Takes the next beat of the input that makes beat `word` of a pixel: of INPUT or one after it.
template <unsigned INPUT, class out_T, class in_T>
out_T concat_take(unsigned, const unsigned *, hls::stream<in_T> &in) {
#pragma HLS INLINE
    // Beat types are distinct when element types are spelled differently; their lanes are equal.
    const in_T beat = in.read();
    out_T copy;
    for (unsigned lane = 0; lane < in_T::size; lane++) {
#pragma HLS UNROLL
        copy[lane] = beat[lane];
    }
    return copy;
}

template <unsigned INPUT, class out_T, class in_T, class next_T, class... more_T>
out_T concat_take(unsigned word, const unsigned *ends, hls::stream<in_T> &in,
                  hls::stream<next_T> &next, hls::stream<more_T> &...more) {
#pragma HLS INLINE
    if (word < ends[INPUT])
        return concat_take<INPUT, out_T>(word, ends, in);
    return concat_take<INPUT + 1, out_T>(word, ends, next, more...);
}

template <typename CONFIG, unsigned INPUTS, unsigned WORDS> struct concat_plan {
    static const unsigned inputs = INPUTS;
    static const unsigned issues = CONFIG::height * CONFIG::width * WORDS;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");
};

template <class out_T, typename PLAN, class... in_T>
void concat_engine(hls::stream<out_T> &out, const unsigned *ends, hls::stream<in_T> &...in) {
#pragma HLS INLINE
    unsigned word = 0;
Issues:
    // Invariant: issue i makes beat i, beat word = i mod ends[last] of its pixel.
    for (unsigned i = 0; i < PLAN::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        out.write(concat_take<0, out_T>(word, ends, in...));
        word = word + 1 == ends[PLAN::inputs - 1] ? 0 : word + 1;
    }
}

template <class in0_T, class in1_T, class out_T, typename CONFIG>
void concat(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<out_T> &out) {
    typedef concat_plan<CONFIG, 2, CONFIG::end_1> plan;
    const unsigned ends[plan::inputs] = {CONFIG::end_0, CONFIG::end_1};
    concat_engine<out_T, plan>(out, ends, in0, in1);
}

template <class in0_T, class in1_T, class in2_T, class out_T, typename CONFIG>
void concat(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<in2_T> &in2,
            hls::stream<out_T> &out) {
    typedef concat_plan<CONFIG, 3, CONFIG::end_2> plan;
    const unsigned ends[plan::inputs] = {CONFIG::end_0, CONFIG::end_1, CONFIG::end_2};
    concat_engine<out_T, plan>(out, ends, in0, in1, in2);
}

template <class in0_T, class in1_T, class in2_T, class in3_T, class out_T, typename CONFIG>
void concat(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<in2_T> &in2,
            hls::stream<in3_T> &in3, hls::stream<out_T> &out) {
    typedef concat_plan<CONFIG, 4, CONFIG::end_3> plan;
    const unsigned ends[plan::inputs] = {CONFIG::end_0, CONFIG::end_1, CONFIG::end_2,
                                         CONFIG::end_3};
    concat_engine<out_T, plan>(out, ends, in0, in1, in2, in3);
}

template <class in0_T, class in1_T, class in2_T, class in3_T, class in4_T, class out_T,
          typename CONFIG>
void concat(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<in2_T> &in2,
            hls::stream<in3_T> &in3, hls::stream<in4_T> &in4, hls::stream<out_T> &out) {
    typedef concat_plan<CONFIG, 5, CONFIG::end_4> plan;
    const unsigned ends[plan::inputs] = {CONFIG::end_0, CONFIG::end_1, CONFIG::end_2, CONFIG::end_3,
                                         CONFIG::end_4};
    concat_engine<out_T, plan>(out, ends, in0, in1, in2, in3, in4);
}

template <class in0_T, class in1_T, class in2_T, class in3_T, class in4_T, class in5_T, class out_T,
          typename CONFIG>
void concat(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<in2_T> &in2,
            hls::stream<in3_T> &in3, hls::stream<in4_T> &in4, hls::stream<in5_T> &in5,
            hls::stream<out_T> &out) {
    typedef concat_plan<CONFIG, 6, CONFIG::end_5> plan;
    const unsigned ends[plan::inputs] = {CONFIG::end_0, CONFIG::end_1, CONFIG::end_2,
                                         CONFIG::end_3, CONFIG::end_4, CONFIG::end_5};
    concat_engine<out_T, plan>(out, ends, in0, in1, in2, in3, in4, in5);
}

template <class in0_T, class in1_T, class in2_T, class in3_T, class in4_T, class in5_T, class in6_T,
          class out_T, typename CONFIG>
void concat(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<in2_T> &in2,
            hls::stream<in3_T> &in3, hls::stream<in4_T> &in4, hls::stream<in5_T> &in5,
            hls::stream<in6_T> &in6, hls::stream<out_T> &out) {
    typedef concat_plan<CONFIG, 7, CONFIG::end_6> plan;
    const unsigned ends[plan::inputs] = {CONFIG::end_0, CONFIG::end_1, CONFIG::end_2, CONFIG::end_3,
                                         CONFIG::end_4, CONFIG::end_5, CONFIG::end_6};
    concat_engine<out_T, plan>(out, ends, in0, in1, in2, in3, in4, in5, in6);
}

template <class in0_T, class in1_T, class in2_T, class in3_T, class in4_T, class in5_T, class in6_T,
          class in7_T, class out_T, typename CONFIG>
void concat(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<in2_T> &in2,
            hls::stream<in3_T> &in3, hls::stream<in4_T> &in4, hls::stream<in5_T> &in5,
            hls::stream<in6_T> &in6, hls::stream<in7_T> &in7, hls::stream<out_T> &out) {
    typedef concat_plan<CONFIG, 8, CONFIG::end_7> plan;
    const unsigned ends[plan::inputs] = {CONFIG::end_0, CONFIG::end_1, CONFIG::end_2,
                                         CONFIG::end_3, CONFIG::end_4, CONFIG::end_5,
                                         CONFIG::end_6, CONFIG::end_7};
    concat_engine<out_T, plan>(out, ends, in0, in1, in2, in3, in4, in5, in6, in7);
}

} // namespace sephw

#endif
