// WidthConverter: the same values in order, `lanes_in` per beat in, `lanes_out` per beat out.
//
// CONFIG: height, width, channels, lanes_in, lanes_out, issues (iterations per frame, checked).
//      One lane count divides the other; the larger divides height * width * channels.
#ifndef SEPHW_WIDTH_CONVERTER_H_
#define SEPHW_WIDTH_CONVERTER_H_

#include "sephw_common.h"

namespace sephw {

template <typename CONFIG, class in_T, class out_T>
void width_converter(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    static const unsigned lanes_in = CONFIG::lanes_in;
    static const unsigned lanes_out = CONFIG::lanes_out;
    static const bool widens = lanes_out > lanes_in;
    static const unsigned lanes = widens ? lanes_out : lanes_in;
    static const unsigned step = widens ? lanes_in : lanes_out;
    static const unsigned parts = lanes / step;
    static const unsigned issues = CONFIG::height * CONFIG::width * CONFIG::channels / step;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");

    typename in_T::value_type held[lanes];
#pragma HLS ARRAY_PARTITION variable = held complete dim = 0

    unsigned part = 0;

Issues:
    // Invariant: before issue i, part = i mod parts. Widening: held[] ends with the last `part`
    // beats. Narrowing: held[] starts with what is left of the beat read at part 0.
    for (unsigned i = 0; i < issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        if (!widens && part > 0) {
            for (unsigned lane = 0; lane + step < lanes; lane++) {
#pragma HLS UNROLL
                held[lane] = held[lane + step];
            }
        }
        if (widens || part == 0) {
            const in_T beat = in.read();
            if (widens) {
                for (unsigned lane = 0; lane + step < lanes; lane++) {
#pragma HLS UNROLL
                    held[lane] = held[lane + step];
                }
            }
            for (unsigned lane = 0; lane < lanes_in; lane++) {
#pragma HLS UNROLL
                held[lanes - lanes_in + lane] = beat[lane];
            }
        }
        if (!widens || part + 1 == parts) {
            out_T beat;
            for (unsigned lane = 0; lane < lanes_out; lane++) {
#pragma HLS UNROLL
                beat[lane] = held[lane];
            }
            out.write(beat);
        }
        part = part + 1 == parts ? 0 : part + 1;
    }
}

} // namespace sephw

#endif
