// The folded matrix-vector engine behind PatternConv and Conv8.
//
// In:  windows (height, width, kernel_height * kernel_width * in_channels), `simd` values per beat,
//      per pixel in the order (group, ky, kx, channel of the group).
// Out: sums (height, width, out_channels), `pe` channels per beat.
// CONFIG: height, width (of the output), in_channels, out_channels, kernel_height, kernel_width,
//      groups, pe, simd, issues (iterations per frame, checked). simd divides in_channels / groups,
//      pe divides out_channels / groups.
// Weights: word (group * neuron_folds + nf) * synapse_folds + sf, then pe, then simd lane; channel
//      group * out_channels / groups + nf * pe + lane. From memory, or from a stream that brings
//      all of them for each output pixel.
// Product: static sum_T of(sum_T value, weight_T weight), one synapse; static sum_T
//      result(sum_T sum, sum_T values), a beat's contribution from the sum of its synapses and the
//      sum of its values, which all neurons share.
#ifndef SEPHW_CONV_ENGINE_H_
#define SEPHW_CONV_ENGINE_H_

#include "sephw_common.h"

namespace sephw {

template <typename CONFIG> struct conv_plan {
    static const unsigned simd = CONFIG::simd;
    static const unsigned pe = CONFIG::pe;
    static const unsigned group_inputs =
        CONFIG::kernel_height * CONFIG::kernel_width * CONFIG::in_channels / CONFIG::groups;
    static const unsigned synapse_folds = group_inputs / simd;
    static const unsigned neuron_folds = CONFIG::out_channels / CONFIG::groups / pe;
    static const unsigned words = CONFIG::groups * neuron_folds * synapse_folds;
    static const unsigned lanes = pe * simd;
    static const unsigned issues = CONFIG::height * CONFIG::width * words;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");
};

// The next word: of a table in memory, or of a stream, which brings them in this order.
template <unsigned WORDS, unsigned LANES, class weight_T>
void read_word(const weight_T (&table)[WORDS][LANES], unsigned word, weight_T (&weights)[LANES]) {
#pragma HLS INLINE
    for (unsigned i = 0; i < LANES; i++) {
#pragma HLS UNROLL
        weights[i] = table[word][i];
    }
}
template <unsigned LANES, class weight_T, class word_T>
void read_word(hls::stream<word_T> &stream, unsigned, weight_T (&weights)[LANES]) {
#pragma HLS INLINE
    const word_T read = stream.read();
    for (unsigned i = 0; i < LANES; i++) {
#pragma HLS UNROLL
        weights[i] = read[i];
    }
}

template <class in_T, class out_T, typename CONFIG, class Product, class weight_T, unsigned lanes,
          class Source>
void conv_issues(hls::stream<in_T> &in, hls::stream<out_T> &out, Source &source) {
#pragma HLS INLINE
    typedef conv_plan<CONFIG> plan;
    typedef typename out_T::value_type acc_t;
    // A beat's sum before it enters the accumulator.
    static const int sum_bits = int_traits<typename in_T::value_type>::bits +
                                int_traits<weight_T>::bits + count_bits(plan::simd) + 2;
    typedef typename native_sum<(sum_bits > 31)>::type sum_t;

    in_T window[plan::synapse_folds];
#pragma HLS AGGREGATE variable = window
    acc_t acc[plan::pe];
#pragma HLS ARRAY_PARTITION variable = acc complete dim = 0

    unsigned sf = 0, nf = 0, word = 0;

Issues:
    // Invariant: issue i works on word = i mod words, which is (group, nf, sf); window[] holds the
    // group's beats 0..sf once nf == 0 has passed them, acc[] the partial sums of nf up to sf - 1.
    for (unsigned i = 0; i < plan::issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        in_T beat;
        if (nf == 0) {
            beat = in.read();
            window[sf] = beat;
        } else {
            beat = window[sf];
        }
        weight_T weights[lanes];
#pragma HLS ARRAY_PARTITION variable = weights complete dim = 0
        read_word(source, word, weights);
        sum_t values[plan::simd];
#pragma HLS ARRAY_PARTITION variable = values complete dim = 0
    Values:
        for (unsigned s = 0; s < plan::simd; s++) {
#pragma HLS UNROLL
            values[s] = static_cast<sum_t>(beat[s].to_int64());
        }
        sum_t total = 0;
    Total:
        for (unsigned s = 0; s < plan::simd; s++) {
#pragma HLS UNROLL
            total += values[s];
        }
        out_T sums;
    Neurons:
        for (unsigned p = 0; p < plan::pe; p++) {
#pragma HLS UNROLL
            sum_t sum = 0;
        Synapses:
            for (unsigned s = 0; s < plan::simd; s++) {
#pragma HLS UNROLL
                sum += Product::of(values[s], weights[p * plan::simd + s]);
            }
            const acc_t before = sf == 0 ? acc_t(0) : acc[p];
            acc[p] = before + Product::result(sum, total);
            sums[p] = acc[p];
        }
        if (sf + 1 == plan::synapse_folds)
            out.write(sums);

        word = word + 1 == plan::words ? 0 : word + 1;
        if (++sf == plan::synapse_folds) {
            sf = 0;
            nf = nf + 1 == plan::neuron_folds ? 0 : nf + 1;
        }
    }
}

template <class in_T, class out_T, typename CONFIG, class Product, class weight_T>
void conv_engine(hls::stream<in_T> &in, hls::stream<out_T> &out,
                 const weight_T (&weights)[conv_plan<CONFIG>::words][conv_plan<CONFIG>::lanes]) {
#pragma HLS INLINE
#pragma HLS ARRAY_RESHAPE variable = weights complete dim = 2
    conv_issues<in_T, out_T, CONFIG, Product, weight_T, conv_plan<CONFIG>::lanes>(in, out, weights);
}

} // namespace sephw

#endif
