// SlidingWindow, parallel form: a pixel in, a whole window out, one issue each.
//
// In:  (height, width, channels), all channels of a pixel per beat.
// Out: one beat per output pixel: (group, ky, kx, channel of the group). Outside of the map: 0.
// CONFIG: height, width, channels, kernel_height, kernel_width, stride, padding_top, padding_left,
//      output_height, output_width (at most width), groups, issues (iterations per frame,
//      checked). width is at least 2, unless kernel_height is 1.
#ifndef SEPHW_PARALLEL_WINDOW_H_
#define SEPHW_PARALLEL_WINDOW_H_

#include "sephw_common.h"

namespace sephw {

template <typename CONFIG> struct parallel_window_plan {
    static const int height = CONFIG::height;
    static const int width = CONFIG::width;
    static const int stride = CONFIG::stride;
    static const int kernel_height = CONFIG::kernel_height;
    static const int kernel_width = CONFIG::kernel_width;
    static const int pixels = height * width;
    // Issue in which the window of output pixel (0, 0) ends, and from there to the last one.
    static const int first_end = (kernel_height - 1 - int(CONFIG::padding_top)) * width +
                                 kernel_width - 1 - int(CONFIG::padding_left);
    static const int last_end = first_end + (int(CONFIG::output_height) - 1) * stride * width +
                                (int(CONFIG::output_width) - 1) * stride;
    static const int issues = last_end + 1 > pixels ? last_end + 1 : pixels;
    // From one window to the next in a row, and from a row's last to the next row's first.
    static const int pixel_gap = stride;
    static const int row_gap = stride * width - (int(CONFIG::output_width) - 1) * stride;
};

template <typename CONFIG, class in_T, class out_T>
void parallel_window(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    typedef parallel_window_plan<CONFIG> plan;
    static const int issues = plan::issues;
    static_assert(issues == int(CONFIG::issues), "the loop and the schedule disagree");
    static const int kernel_height = plan::kernel_height;
    static const int kernel_width = plan::kernel_width;
    static const int width = plan::width;
    static const int rows_above = kernel_height > 1 ? kernel_height - 1 : 1;
    static const unsigned group_channels = CONFIG::channels / CONFIG::groups;

    // above[r][x]: the pixel of column x that came r + 1 rows ago. Never cleared: what it holds at
    // first, or from a row's other end, lies outside of the map and is masked.
    in_T above[rows_above][width];
#pragma HLS ARRAY_PARTITION variable = above complete dim = 1
#pragma HLS AGGREGATE variable = above
#pragma HLS BIND_STORAGE variable = above type = ram_2p
    // A column is read again `width` issues after it was written, and width is at least 2.
#pragma HLS DEPENDENCE variable = above type = inter direction = RAW distance = 2 dependent = true
    in_T window[kernel_height][kernel_width];
#pragma HLS ARRAY_PARTITION variable = window complete dim = 0

    int column = 0;
    int gap = plan::first_end;
    int ox = 0, oy = 0;
    int top = -static_cast<int>(CONFIG::padding_top);
    int left = -static_cast<int>(CONFIG::padding_left);

Issues:
    // Invariant: behind the shift of issue n, window[ky][kx] is pixel
    // n - (kernel_height - 1 - ky) * width - (kernel_width - 1 - kx), counted through the rows;
    // `gap` issues are left before the one in which the window of (oy, ox) ends.
    for (int n = 0; n < issues; n++) {
#pragma HLS PIPELINE II = 1 style = flp
        in_T pixel;
        if (n < plan::pixels) {
            pixel = in.read();
        } else {
        Blank:
            for (unsigned c = 0; c < CONFIG::channels; c++) {
#pragma HLS UNROLL
                pixel[c] = 0;
            }
        }
    Rows:
        for (int ky = 0; ky < kernel_height; ky++) {
#pragma HLS UNROLL
        Columns:
            for (int kx = 0; kx + 1 < kernel_width; kx++) {
#pragma HLS UNROLL
                window[ky][kx] = window[ky][kx + 1];
            }
            window[ky][kernel_width - 1] =
                ky + 1 == kernel_height ? pixel
                                        : above[ky < rows_above ? rows_above - 1 - ky : 0][column];
        }
        if (kernel_height > 1) {
        Lines:
            for (int row = rows_above - 1; row > 0; row--) {
#pragma HLS UNROLL
                above[row][column] = above[row - 1][column];
            }
            above[0][column] = pixel;
        }
        column = column + 1 == width ? 0 : column + 1;

        if (gap > 0 || oy == static_cast<int>(CONFIG::output_height)) {
            gap--;
        } else {
            out_T beat;
        Groups:
            for (unsigned group = 0; group < CONFIG::groups; group++) {
#pragma HLS UNROLL
                for (int ky = 0; ky < kernel_height; ky++) {
#pragma HLS UNROLL
                    for (int kx = 0; kx < kernel_width; kx++) {
#pragma HLS UNROLL
                        const int y = top + ky, x = left + kx;
                        const bool inside = y >= 0 && y < plan::height && x >= 0 && x < width;
                        for (unsigned c = 0; c < group_channels; c++) {
#pragma HLS UNROLL
                            const unsigned tap = (group * kernel_height + ky) * kernel_width + kx;
                            beat[tap * group_channels + c] =
                                inside ? window[ky][kx][group * group_channels + c]
                                       : typename in_T::value_type(0);
                        }
                    }
                }
            }
            out.write(beat);
            if (ox + 1 < static_cast<int>(CONFIG::output_width)) {
                ox++;
                left += CONFIG::stride;
                gap = plan::pixel_gap - 1;
            } else {
                ox = 0;
                oy++;
                left = -static_cast<int>(CONFIG::padding_left);
                top += CONFIG::stride;
                gap = plan::row_gap - 1;
            }
        }
    }
}

} // namespace sephw

#endif
