// Conv8: sums of x * w with 8-bit weights, see sephw_conv_engine.h. Also serves 1 x 1 kernels,
// where the window is the feature map itself, and linear layers, which are 1 x 1 on a 1 x 1 map.
// The table's type is CONFIG::weights_t.
#ifndef SEPHW_CONV8_H_
#define SEPHW_CONV8_H_

#include "sephw_conv_engine.h"

namespace sephw {

struct integer_product {
    template <class sum_T, class weight_T> static sum_T of(sum_T value, weight_T weight) {
#pragma HLS INLINE
        return value * weight.to_int();
    }
    template <class sum_T> static sum_T result(sum_T sum, sum_T) {
#pragma HLS INLINE
        return sum;
    }
};

template <typename CONFIG, class in_T, class out_T>
void conv8(hls::stream<in_T> &in, hls::stream<out_T> &out,
           const typename CONFIG::weights_t (
               &weights)[conv_plan<CONFIG>::words][conv_plan<CONFIG>::lanes]) {
    conv_engine<in_T, out_T, CONFIG, integer_product>(in, out, weights);
}

} // namespace sephw

#endif
