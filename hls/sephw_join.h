// Join: the branches of a block meet before rounding and are requantized once.
//
//   y = clip(floor((sum over j of (mantissas[c][j] * x_j << shifts[c][j]) + bias[c]) / 2^shift))
//
// In:  branches (height, width, channels), `simd` channels per beat each; any number of them.
// Out: (height, width, channels) of out_T, clipped to its range.
// CONFIG: height, width, channels, simd, shift, acc_bits (holds every partial sum), issues
//      (iterations per frame, checked), types mantissas_t, shifts_t, bias_t.
// Tables: a row for each beat of a pixel; mantissas and shifts lane * branches + branch, bias lane.
#ifndef SEPHW_JOIN_H_
#define SEPHW_JOIN_H_

#include "sephw_common.h"

namespace sephw {

template <typename CONFIG> struct join_plan {
    static const unsigned channels = CONFIG::channels;
    static const unsigned lanes = CONFIG::simd;
    static const unsigned words = CONFIG::channels / CONFIG::simd;
    static const unsigned issues = CONFIG::height * CONFIG::width * words;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");
    typedef ap_int<CONFIG::acc_bits> acc_t;
};

// A table of one factor per lane and branch.
template <typename CONFIG, class T, unsigned BRANCHES>
using join_factors = T[join_plan<CONFIG>::words][join_plan<CONFIG>::lanes * BRANCHES];

// Adds mantissa * beat << shift of branch BRANCH and of the branches after it.
template <typename CONFIG, unsigned BRANCHES, unsigned BRANCH>
void join_branches(typename join_plan<CONFIG>::acc_t (&)[join_plan<CONFIG>::lanes], unsigned,
                   const join_factors<CONFIG, typename CONFIG::mantissas_t, BRANCHES> &,
                   const join_factors<CONFIG, typename CONFIG::shifts_t, BRANCHES> &) {}

template <typename CONFIG, unsigned BRANCHES, unsigned BRANCH, class in_T, class... more_T>
void join_branches(typename join_plan<CONFIG>::acc_t (&acc)[join_plan<CONFIG>::lanes],
                   unsigned word,
                   const join_factors<CONFIG, typename CONFIG::mantissas_t, BRANCHES> &mantissas,
                   const join_factors<CONFIG, typename CONFIG::shifts_t, BRANCHES> &shifts,
                   hls::stream<in_T> &in, hls::stream<more_T> &...more) {
#pragma HLS INLINE
    typedef join_plan<CONFIG> plan;
    const in_T beat = in.read();
    for (unsigned lane = 0; lane < plan::lanes; lane++) {
#pragma HLS UNROLL
        const unsigned at = lane * BRANCHES + BRANCH;
        const typename plan::acc_t product = mantissas[word][at] * beat[lane];
        acc[lane] += product << shifts[word][at].to_int();
    }
    join_branches<CONFIG, BRANCHES, BRANCH + 1>(acc, word, mantissas, shifts, more...);
}

template <class out_T, typename CONFIG>
out_T join_requantize(const typename join_plan<CONFIG>::acc_t (&acc)[join_plan<CONFIG>::lanes]) {
#pragma HLS INLINE
    typedef typename out_T::value_type value_t;
    out_T beat;
    for (unsigned lane = 0; lane < join_plan<CONFIG>::lanes; lane++) {
#pragma HLS UNROLL
        // An arithmetic shift right is the floor.
        const typename join_plan<CONFIG>::acc_t floored =
            acc[lane] >> static_cast<int>(CONFIG::shift);
        const long long value = floored.to_int64();
        beat[lane] = value > int_range<value_t>::max   ? int_range<value_t>::max
                     : value < int_range<value_t>::min ? int_range<value_t>::min
                                                       : value;
    }
    return beat;
}

template <typename CONFIG, class out_T, class... in_T>
void join(hls::stream<out_T> &out,
          const join_factors<CONFIG, typename CONFIG::mantissas_t, sizeof...(in_T)> &mantissas,
          const join_factors<CONFIG, typename CONFIG::shifts_t, sizeof...(in_T)> &shifts,
          const join_factors<CONFIG, typename CONFIG::bias_t, 1> &bias, hls::stream<in_T> &...in) {
    typedef join_plan<CONFIG> plan;
    static const unsigned lanes = plan::lanes;
#pragma HLS ARRAY_RESHAPE variable = mantissas complete dim = 2
#pragma HLS ARRAY_RESHAPE variable = shifts complete dim = 2
#pragma HLS ARRAY_RESHAPE variable = bias complete dim = 2
    unsigned word = 0;
Issues:
    // Invariant: issue i takes beat i of every branch and makes beat i; word = i mod words.
    for (unsigned i = 0; i < plan::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        typename plan::acc_t acc[lanes];
#pragma HLS ARRAY_PARTITION variable = acc complete dim = 0
        for (unsigned lane = 0; lane < lanes; lane++) {
#pragma HLS UNROLL
            acc[lane] = bias[word][lane];
        }
        join_branches<CONFIG, sizeof...(in_T), 0>(acc, word, mantissas, shifts, in...);
        out.write(join_requantize<out_T, CONFIG>(acc));
        word = word + 1 == plan::words ? 0 : word + 1;
    }
}

} // namespace sephw

#endif
