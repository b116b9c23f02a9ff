// Helpers shared by the engines. C++11, as the Vitis project scripts of hls4ml compile it.
#ifndef SEPHW_COMMON_H_
#define SEPHW_COMMON_H_

#include "ap_int.h"
#include "hls_stream.h"

namespace sephw {

// Width and sign of the stream and table element types.
template <class T> struct int_traits;

template <int BITS> struct int_traits<ap_uint<BITS>> {
    static const int bits = BITS;
    static const bool is_signed = false;
};

template <int BITS> struct int_traits<ap_int<BITS>> {
    static const int bits = BITS;
    static const bool is_signed = true;
};

// Smallest and largest value of an ap_uint or ap_int of up to 62 bits.
template <class T> struct int_range {
    static const int magnitude = int_traits<T>::bits - (int_traits<T>::is_signed ? 1 : 0);
    static const long long max = (1LL << magnitude) - 1;
    static const long long min = int_traits<T>::is_signed ? -(1LL << magnitude) : 0;
};

// A list of numbers that CONFIG hands over.
template <unsigned... VALUES> struct integers {};

constexpr int max_of(int a, int b) { return a > b ? a : b; }

// Bits that count 0..n-1.
constexpr int count_bits(unsigned n) { return n <= 2 ? 1 : 1 + count_bits((n + 1) / 2); }

// Native integer for sums; WIDE where they take more than 31 bits. Synthesis trims it to the bits
// that are used; the plain compiler runs it far faster than an arbitrary-precision type.
template <bool WIDE> struct native_sum {
    typedef int type;
};
template <> struct native_sum<true> {
    typedef long long type;
};

} // namespace sephw

#endif
