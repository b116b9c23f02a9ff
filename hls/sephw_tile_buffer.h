// TileBuffer: blocks of a stream, sent in another order, parts of them several times.
//
// In:  (height, width, channels), `lanes` values per beat; rows * columns runs of `run` beats are a
//      block, row by row.
// Out: (output_height, output_width, output_channels), `lanes` values per beat: of every block each
//      column `repeats` times, runs as they are.
// CONFIG: lanes, rows, columns, run, repeats, paced (1: the first block is read as slowly as the
//      others), blocks, issues (iterations per frame, checked).
#ifndef SEPHW_TILE_BUFFER_H_
#define SEPHW_TILE_BUFFER_H_

#include "sephw_common.h"

namespace sephw {

template <typename CONFIG, class in_T, class out_T>
void tile_buffer(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    static const unsigned columns = CONFIG::columns * CONFIG::run;
    static const unsigned block = CONFIG::rows * columns;
    static const unsigned repeats = CONFIG::repeats;
    static const unsigned fill = block * (CONFIG::paced ? repeats : 1);
    static const unsigned issues = fill + CONFIG::blocks * block * repeats;
    static_assert(issues == unsigned(CONFIG::issues), "the loop and the schedule disagree");
    static_assert(unsigned(in_T::size) == unsigned(CONFIG::lanes), "beats of other lanes");

    // Two blocks: one is sent while the next one is read.
    static const unsigned store_words = 2 * block;
    in_T store[store_words];
#pragma HLS AGGREGATE variable = store
#pragma HLS BIND_STORAGE variable = store type = ram_2p

    // Counted in beats: where the half and the row begin.
    unsigned turn = 0, write_address = 0, half_start = 0, row_start = 0;
    unsigned beat_of_run = 0, row = 0, column = 0, repeat = 0, sent = 0;
Issues:
    // Invariant: in the fill, block 0 is read; then block `sent` is sent from `half_start` on, a
    // beat of run (row, column / run) is sent for time `repeat`, and of every `repeats` issues the
    // last reads.
    for (unsigned i = 0; i < issues; i++) {
#pragma HLS PIPELINE II = 1 style = flp
        const bool filling = i < fill;
        const bool turn_last = turn == repeats - 1 || (filling && !CONFIG::paced);
        const bool reading = turn_last && (filling || sent != unsigned(CONFIG::blocks) - 1);
        turn = turn_last ? 0 : turn + 1;
        in_T fresh;
        if (reading)
            fresh = in.read();
        if (!filling) {
            const in_T beat = store[half_start + row_start + column + beat_of_run];
            out_T copy;
            for (unsigned lane = 0; lane < in_T::size; lane++) {
#pragma HLS UNROLL
                copy[lane] = beat[lane];
            }
            out.write(copy);
            if (++beat_of_run == unsigned(CONFIG::run)) {
                beat_of_run = 0;
                row_start += columns;
                if (++row == unsigned(CONFIG::rows)) {
                    row = 0;
                    row_start = 0;
                    if (++repeat == repeats) {
                        repeat = 0;
                        column += CONFIG::run;
                        if (column == columns) {
                            column = 0;
                            half_start = block - half_start;
                            sent++;
                        }
                    }
                }
            }
        }
        if (reading) {
            store[write_address] = fresh;
            write_address = write_address + 1 == store_words ? 0 : write_address + 1;
        }
    }
}

} // namespace sephw

#endif
