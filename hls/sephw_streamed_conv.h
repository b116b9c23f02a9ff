// StreamedConv: Conv8 or PatternConv (CONFIG::pattern 1) with its weights from a stream, a word of
// pe * simd per iteration; see sephw_conv_engine.h. Of patterns 0 adds and 1 subtracts.
#ifndef SEPHW_STREAMED_CONV_H_
#define SEPHW_STREAMED_CONV_H_

#include "sephw_conv8.h"

namespace sephw {

// Sum of +-x = (sum of all x) - 2 * (sum of the x that are subtracted).
struct subtracting_product {
    template <class sum_T, class weight_T> static sum_T of(sum_T value, weight_T weight) {
#pragma HLS INLINE
        return value & -weight.to_int();
    }
    template <class sum_T> static sum_T result(sum_T sum, sum_T values) {
#pragma HLS INLINE
        return values - 2 * sum;
    }
};

template <unsigned PATTERN> struct streamed_product {
    typedef integer_product type;
};
template <> struct streamed_product<1> {
    typedef subtracting_product type;
};

template <typename CONFIG, class in_T, class word_T, class out_T>
void streamed_conv(hls::stream<in_T> &in, hls::stream<word_T> &words, hls::stream<out_T> &out) {
    static_assert(word_T::size == CONFIG::pe * CONFIG::simd, "a word is pe * simd weights");
    typedef typename streamed_product<CONFIG::pattern>::type product;
    conv_issues<in_T, out_T, CONFIG, product, typename word_T::value_type, word_T::size>(in, out,
                                                                                         words);
}

} // namespace sephw

#endif
