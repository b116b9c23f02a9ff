// PatternConv: sums of +x and -x, see sephw_conv_engine.h. Pattern bit 1 adds, 0 subtracts.
// The table's type is CONFIG::patterns_t.
#ifndef SEPHW_PATTERN_CONV_H_
#define SEPHW_PATTERN_CONV_H_

#include "sephw_conv_engine.h"

namespace sephw {

struct pattern_product {
    template <class value_T, class weight_T> static value_T of(value_T value, weight_T weight) {
#pragma HLS INLINE
        return weight != 0 ? value : -value;
    }
};

template <class in_T, class out_T, typename CONFIG>
void pattern_conv(hls::stream<in_T> &in, hls::stream<out_T> &out,
                  const typename CONFIG::patterns_t patterns[conv_plan<CONFIG>::weights]) {
    conv_engine<in_T, out_T, CONFIG, pattern_product>(in, out, patterns);
}

} // namespace sephw

#endif
