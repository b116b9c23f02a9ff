// PatternConv: sums of +x and -x, see sephw_conv_engine.h. Pattern bit 1 adds, 0 subtracts.
// The table's type is CONFIG::patterns_t.
#ifndef SEPHW_PATTERN_CONV_H_
#define SEPHW_PATTERN_CONV_H_

#include "sephw_conv_engine.h"

namespace sephw {

// Sum of +-x = 2 * (sum of the x that are added) - (sum of all x): an AND gate per synapse, and
// one sum that the neurons share.
struct pattern_product {
    template <class sum_T, class weight_T> static sum_T of(sum_T value, weight_T weight) {
#pragma HLS INLINE
        return value & -weight.to_int();
    }
    template <class sum_T> static sum_T result(sum_T sum, sum_T values) {
#pragma HLS INLINE
        return 2 * sum - values;
    }
};

template <typename CONFIG, class in_T, class out_T>
void pattern_conv(hls::stream<in_T> &in, hls::stream<out_T> &out,
                  const typename CONFIG::patterns_t (
                      &patterns)[conv_plan<CONFIG>::words][conv_plan<CONFIG>::lanes]) {
    conv_engine<in_T, out_T, CONFIG, pattern_product>(in, out, patterns);
}

} // namespace sephw

#endif
