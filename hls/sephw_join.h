// Join: the branches of a block meet before rounding and are requantized once.
//
//   y = clip(floor((sum over j of (mantissas[c][j] * x_j << shifts[c][j]) + bias[c]) / 2^shift))
//
// In:  1 to 4 branches (height, width, channels), `simd` channels per beat each.
// Out: (height, width, channels) of out_T, clipped to its range.
// CONFIG: height, width, channels, simd, shift, acc_bits (holds every partial sum), issues
//      (iterations per frame, checked), types mantissas_t, shifts_t, bias_t.
// Tables: mantissas and shifts indexed channel * branches + branch, bias by channel.
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

// Adds mantissa * beat << shift of branch BRANCH and of the branches after it.
template <typename CONFIG, unsigned BRANCHES, unsigned BRANCH>
void join_branches(typename join_plan<CONFIG>::acc_t *, unsigned,
                   const typename CONFIG::mantissas_t *, const typename CONFIG::shifts_t *) {}

template <typename CONFIG, unsigned BRANCHES, unsigned BRANCH, class in_T, class... more_T>
void join_branches(typename join_plan<CONFIG>::acc_t *acc, unsigned base,
                   const typename CONFIG::mantissas_t *mantissas,
                   const typename CONFIG::shifts_t *shifts, hls::stream<in_T> &in,
                   hls::stream<more_T> &...more) {
#pragma HLS INLINE
    typedef join_plan<CONFIG> plan;
    const in_T beat = in.read();
    for (unsigned lane = 0; lane < plan::lanes; lane++) {
#pragma HLS UNROLL
        const unsigned at = base + lane * BRANCHES + BRANCH;
        const typename plan::acc_t product = mantissas[at] * beat[lane];
        acc[lane] += product << shifts[at].to_int();
    }
    join_branches<CONFIG, BRANCHES, BRANCH + 1>(acc, base, mantissas, shifts, more...);
}

template <class out_T, typename CONFIG>
out_T join_requantize(const typename join_plan<CONFIG>::acc_t *acc) {
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

template <class out_T, typename CONFIG, class... in_T>
void join_engine(hls::stream<out_T> &out, const typename CONFIG::mantissas_t *mantissas,
                 const typename CONFIG::shifts_t *shifts, const typename CONFIG::bias_t *bias,
                 hls::stream<in_T> &...in) {
#pragma HLS INLINE
    typedef join_plan<CONFIG> plan;
    static const unsigned lanes = plan::lanes;
    static const unsigned factors = lanes * sizeof...(in_T);
#pragma HLS ARRAY_RESHAPE variable = mantissas cyclic factor = factors dim = 1
#pragma HLS ARRAY_RESHAPE variable = shifts cyclic factor = factors dim = 1
#pragma HLS ARRAY_RESHAPE variable = bias cyclic factor = lanes dim = 1
    unsigned word = 0;
Issues:
    // Invariant: issue i takes beat i of every branch and makes beat i; word = i mod words.
    for (unsigned i = 0; i < plan::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        typename plan::acc_t acc[lanes];
#pragma HLS ARRAY_PARTITION variable = acc complete dim = 0
        for (unsigned lane = 0; lane < lanes; lane++) {
#pragma HLS UNROLL
            acc[lane] = bias[word * lanes + lane];
        }
        join_branches<CONFIG, sizeof...(in_T), 0>(acc, word * factors, mantissas, shifts, in...);
        out.write(join_requantize<out_T, CONFIG>(acc));
        word = word + 1 == plan::words ? 0 : word + 1;
    }
}

template <class in0_T, class out_T, typename CONFIG>
void join(hls::stream<in0_T> &in0, hls::stream<out_T> &out,
          const typename CONFIG::mantissas_t mantissas[join_plan<CONFIG>::channels * 1],
          const typename CONFIG::shifts_t shifts[join_plan<CONFIG>::channels * 1],
          const typename CONFIG::bias_t bias[join_plan<CONFIG>::channels]) {
    join_engine<out_T, CONFIG>(out, mantissas, shifts, bias, in0);
}

template <class in0_T, class in1_T, class out_T, typename CONFIG>
void join(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<out_T> &out,
          const typename CONFIG::mantissas_t mantissas[join_plan<CONFIG>::channels * 2],
          const typename CONFIG::shifts_t shifts[join_plan<CONFIG>::channels * 2],
          const typename CONFIG::bias_t bias[join_plan<CONFIG>::channels]) {
    join_engine<out_T, CONFIG>(out, mantissas, shifts, bias, in0, in1);
}

template <class in0_T, class in1_T, class in2_T, class out_T, typename CONFIG>
void join(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<in2_T> &in2,
          hls::stream<out_T> &out,
          const typename CONFIG::mantissas_t mantissas[join_plan<CONFIG>::channels * 3],
          const typename CONFIG::shifts_t shifts[join_plan<CONFIG>::channels * 3],
          const typename CONFIG::bias_t bias[join_plan<CONFIG>::channels]) {
    join_engine<out_T, CONFIG>(out, mantissas, shifts, bias, in0, in1, in2);
}

template <class in0_T, class in1_T, class in2_T, class in3_T, class out_T, typename CONFIG>
void join(hls::stream<in0_T> &in0, hls::stream<in1_T> &in1, hls::stream<in2_T> &in2,
          hls::stream<in3_T> &in3, hls::stream<out_T> &out,
          const typename CONFIG::mantissas_t mantissas[join_plan<CONFIG>::channels * 4],
          const typename CONFIG::shifts_t shifts[join_plan<CONFIG>::channels * 4],
          const typename CONFIG::bias_t bias[join_plan<CONFIG>::channels]) {
    join_engine<out_T, CONFIG>(out, mantissas, shifts, bias, in0, in1, in2, in3);
}

} // namespace sephw

#endif
