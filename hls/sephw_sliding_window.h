// SlidingWindow: the k x k neighbourhoods of a feature map.
//
// In:  (height, width, channels), `simd` channels per beat.
// Out: (output_height, output_width, kernel_height * kernel_width * channels), `simd` values per
//      beat, per pixel in the order (group, ky, kx, channel of the group). Outside of the map: 0.
// CONFIG: height, width, channels, kernel_height, kernel_width, stride, padding_top, padding_left,
//      output_height, output_width, groups, simd, buffer_rows, issues (iterations per frame, both
//      checked). simd divides channels / groups.
#ifndef SEPHW_SLIDING_WINDOW_H_
#define SEPHW_SLIDING_WINDOW_H_

#include "sephw_common.h"

namespace sephw {

// Everything about the row schedule that is known at compile time.
template <typename CONFIG> struct window_plan {
    static const int height = CONFIG::height;
    static const int output_height = CONFIG::output_height;
    static const int stride = CONFIG::stride;
    static const int padding_top = CONFIG::padding_top;
    static const int kernel_height = CONFIG::kernel_height;
    static const int words = CONFIG::channels / CONFIG::simd;
    static const int group_words = words / CONFIG::groups;
    static const int row_words = CONFIG::width * words;
    static const int row_writes =
        CONFIG::output_width * CONFIG::kernel_height * CONFIG::kernel_width * words;

    static constexpr int clip(int row) { return row < 0 ? 0 : (row > height ? height : row); }

    // Input rows that must have been read before output row r starts; all of them at the end.
    static constexpr int rows_needed(int r) {
        return r < output_height ? clip(r * stride - padding_top + kernel_height) : height;
    }

    // Rows that are live while output row r is written. Rows read after the last output row has
    // its window are dropped.
    static constexpr int rows_live(int r) {
        return rows_needed(r + 1 < output_height ? r + 1 : r) -
               (r * stride > padding_top ? r * stride - padding_top : 0);
    }

    static constexpr int buffer_rows(int r) {
        return r == output_height ? 1 : max_of(rows_live(r), buffer_rows(r + 1));
    }

    static constexpr int reads(int r) { return (rows_needed(r + 1) - rows_needed(r)) * row_words; }

    static constexpr int issues(int r) {
        return r == output_height ? 0 : max_of(reads(r), row_writes) + issues(r + 1);
    }
};

template <typename CONFIG, class in_T, class out_T>
void sliding_window(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    typedef window_plan<CONFIG> plan;
    static const int buffer_rows = plan::buffer_rows(0);
    static const int fill_reads = plan::rows_needed(0) * plan::row_words;
    static const int issues = fill_reads + plan::issues(0);
    static_assert(issues == int(CONFIG::issues), "the loop and the schedule disagree");
    static_assert(buffer_rows == int(CONFIG::buffer_rows), "the buffer and its size disagree");
    static const int kept_words = plan::rows_needed(CONFIG::output_height - 1) * plan::row_words;
    static const int buffer_words = buffer_rows * plan::row_words;
    static const int last_slot = buffer_words - plan::row_words;

    in_T buffer[buffer_words];
#pragma HLS AGGREGATE variable = buffer
#pragma HLS BIND_STORAGE variable = buffer type = ram_2p

    // Phase -1 fills the buffer; phase r writes output row r while it reads what row r + 1 needs:
    // `rows_left` rows, of which `row_word` words of the first one have been read.
    int row = fill_reads > 0 ? -1 : 0;
    int rows_end = plan::rows_needed(fill_reads > 0 ? 0 : 1);
    int next_end = CONFIG::stride - CONFIG::padding_top + CONFIG::kernel_height +
                   (fill_reads > 0 ? 0 : CONFIG::stride);
    int rows_left = rows_end - (fill_reads > 0 ? 0 : plan::rows_needed(0));
    int row_word = 0;
    int writes_left = fill_reads > 0 ? 0 : plan::row_writes;

    int write_address = 0;
    int words_read = 0;
    // Row of the window's top, which may lie in the padding. Places in the buffer are counted in
    // words: of the top's buffer row, of the tap's, of its column, its group's first word.
    int top = -static_cast<int>(CONFIG::padding_top);
    static const int first_slot =
        (buffer_rows - CONFIG::padding_top % buffer_rows) % buffer_rows * plan::row_words;
    static const int top_step = CONFIG::stride % buffer_rows * plan::row_words;
    static const int first_column = -static_cast<int>(CONFIG::padding_left) * plan::words;
    int top_slot = first_slot;
    int slot = top_slot;
    int left = -static_cast<int>(CONFIG::padding_left);
    int left_column = first_column, column = first_column;
    int word = 0, kx = 0, ky = 0, group = 0, group_word = 0;

Issues:
    // Invariant: before issue i of phase r, the buffer holds input rows max(0, top)..rows_end - 1
    // as far as they have been read, row y in buffer row y mod buffer_rows; a phase reads
    // and writes in its first issues, so its reads never touch a row that it still writes from.
    for (int i = 0; i < issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
#pragma HLS DEPENDENCE variable = buffer type = intra dependent = false
        if (writes_left > 0) {
            const int y = top + ky;
            const int x = left + kx;
            const bool inside = y >= 0 && y < static_cast<int>(CONFIG::height) && x >= 0 &&
                                x < static_cast<int>(CONFIG::width);
            const int address = slot + column + group_word + word;
            const in_T source = buffer[inside ? address : 0];
            out_T beat;
        Lanes:
            for (unsigned lane = 0; lane < CONFIG::simd; lane++) {
#pragma HLS UNROLL
                beat[lane] = inside ? source[lane] : typename in_T::value_type(0);
            }
            out.write(beat);
            writes_left--;

            if (++word == plan::group_words) {
                word = 0;
                column += plan::words;
                if (++kx == static_cast<int>(CONFIG::kernel_width)) {
                    kx = 0;
                    column = left_column;
                    slot = slot == last_slot ? 0 : slot + plan::row_words;
                    if (++ky == static_cast<int>(CONFIG::kernel_height)) {
                        ky = 0;
                        slot = top_slot;
                        group_word += plan::group_words;
                        if (++group == static_cast<int>(CONFIG::groups)) {
                            group = 0;
                            group_word = 0;
                            left += CONFIG::stride;
                            left_column += static_cast<int>(CONFIG::stride) * plan::words;
                            column = left_column;
                        }
                    }
                }
            }
        }
        if (rows_left > 0) {
            const in_T beat = in.read();
            if (words_read < kept_words)
                buffer[write_address] = beat;
            write_address = write_address + 1 == buffer_words ? 0 : write_address + 1;
            words_read++;
            if (++row_word == plan::row_words) {
                row_word = 0;
                rows_left--;
            }
        }
        if (rows_left == 0 && writes_left == 0) {
            if (row >= 0) {
                top += CONFIG::stride;
                top_slot += top_step;
                if (top_slot >= buffer_words)
                    top_slot -= buffer_words;
            }
            slot = top_slot;
            left = -static_cast<int>(CONFIG::padding_left);
            left_column = column = first_column;
            row++;
            const int end = row + 1 < static_cast<int>(CONFIG::output_height) ? plan::clip(next_end)
                                                                              : plan::height;
            rows_left = end - rows_end;
            writes_left = plan::row_writes;
            rows_end = end;
            next_end += CONFIG::stride;
        }
    }
}

} // namespace sephw

#endif
