// Thresholds: each channel's count of thresholds that its value reaches, by binary search.
//
//   y = base + (directions[c] ? 2^stages - 1 - n : n), n = number of thresholds[c] <= key
//
// In:  (height, width, channels), `simd` channels per beat.
// Out: (height, width, channels) of out_T.
// CONFIG: height, width, channels, simd, stages (1 to 8), base, issues (iterations per frame,
//      checked), types thresholds_<k>_t (unsigned, one width) and directions_t.
// Tables: thresholds_<k> of stage k has, for each beat of a pixel, 2^k rows of one entry per lane:
//      row word * 2^k + p has the threshold that decides bit k of counts that begin with p;
//      directions has one row per beat. Each lane reads rows of its own, so lanes are partitioned.
// Keys are the values with their sign bits flipped, which orders them like unsigned numbers.
#ifndef SEPHW_THRESHOLDS_H_
#define SEPHW_THRESHOLDS_H_

#include "sephw_common.h"

namespace sephw {

template <typename CONFIG, class in_T> struct thresholds_plan {
    static const unsigned lanes = CONFIG::simd;
    static const unsigned words = CONFIG::channels / CONFIG::simd;
    static const unsigned issues = CONFIG::height * CONFIG::width * words;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");
    typedef int_traits<typename in_T::value_type> value;
    typedef ap_uint<value::bits> key_t;
    typedef ap_uint<CONFIG::stages> count_t;

    static key_t key(const typename in_T::value_type &x) {
#pragma HLS INLINE
        key_t bits = key_t(x);
        if (value::is_signed)
            bits[value::bits - 1] = !bits[value::bits - 1];
        return bits;
    }
};

// Finds bit STAGE of every lane's count, highest first, and the bits after it.
template <class plan, class T> struct thresholds_search {
    template <unsigned STAGE>
    static void step(unsigned, typename plan::count_t (&)[plan::lanes],
                     const typename plan::key_t (&)[plan::lanes]) {}

    template <unsigned STAGE, unsigned ROWS, class... more_T>
    static void step(unsigned word, typename plan::count_t (&found)[plan::lanes],
                     const typename plan::key_t (&keys)[plan::lanes],
                     const T (&table)[ROWS][plan::lanes], const more_T &...more) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable = table complete dim = 2
        static_assert(ROWS == plan::words << STAGE, "a row for each count so far");
        for (unsigned lane = 0; lane < plan::lanes; lane++) {
#pragma HLS UNROLL
            const unsigned row = (word << STAGE) + found[lane].to_uint();
            const bool reached = keys[lane] >= table[row][lane];
            found[lane] = (found[lane] << 1) | typename plan::count_t(reached);
        }
        step<STAGE + 1>(word, found, keys, more...);
    }
};

template <typename CONFIG, class in_T, class out_T, class direction_T, class... table_T>
void thresholds(hls::stream<in_T> &in, hls::stream<out_T> &out,
                const direction_T (&directions)[thresholds_plan<CONFIG, in_T>::words]
                                               [thresholds_plan<CONFIG, in_T>::lanes],
                const table_T &...tables) {
#pragma HLS ARRAY_RESHAPE variable = directions complete dim = 2
    typedef thresholds_plan<CONFIG, in_T> plan;
    static const int most = (1 << CONFIG::stages) - 1;
    static_assert(sizeof...(tables) == CONFIG::stages, "a table for each stage");
    unsigned word = 0;
Issues:
    // Invariant: issue i takes beat i and makes beat i; word = i mod words.
    for (unsigned i = 0; i < plan::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const in_T beat = in.read();
        typename plan::key_t keys[plan::lanes];
        typename plan::count_t found[plan::lanes];
#pragma HLS ARRAY_PARTITION variable = keys complete dim = 0
#pragma HLS ARRAY_PARTITION variable = found complete dim = 0
        for (unsigned lane = 0; lane < plan::lanes; lane++) {
#pragma HLS UNROLL
            keys[lane] = plan::key(beat[lane]);
            found[lane] = 0;
        }
        thresholds_search<plan, typename CONFIG::thresholds_0_t>::template step<0>(word, found,
                                                                                   keys, tables...);
        out_T result;
        for (unsigned lane = 0; lane < plan::lanes; lane++) {
#pragma HLS UNROLL
            const int count = found[lane].to_int();
            result[lane] = int(CONFIG::base) + (directions[word][lane] != 0 ? most - count : count);
        }
        out.write(result);
        word = word + 1 == plan::words ? 0 : word + 1;
    }
}

} // namespace sephw

#endif
