// Sums of `words` beats over `turns` turns each: what AveragePool and GlobalPool have in common.
//
// In:  turn after turn, `words` beats of `simd` values.
// Out: after the last turn of a sum, `words` beats of `simd` sums; `issues` beats are read.
#ifndef SEPHW_SUM_POOL_H_
#define SEPHW_SUM_POOL_H_

#include "sephw_pool_store.h"

namespace sephw {

template <unsigned turns, unsigned simd, unsigned count> struct sum_pool_loop {
    template <class in_T, class out_T, unsigned words>
    static void issues(hls::stream<in_T> &in, hls::stream<out_T> &out, out_T (&sums)[words]) {
#pragma HLS INLINE
        unsigned word = 0, turn = 0;

    Issues:
        // Invariant: sums[w] is the sum of word w over the turns before (turn, word).
        for (unsigned i = 0; i < count; i++) {
#pragma HLS PIPELINE II = 1 style = flp
            const in_T beat = in.read();
            const out_T before = sums[word];
            out_T sum;
            for (unsigned lane = 0; lane < simd; lane++) {
#pragma HLS UNROLL
                const typename out_T::value_type start =
                    turn == 0 ? typename out_T::value_type(0) : before[lane];
                sum[lane] = start + beat[lane];
            }
            sums[word] = sum;
            if (turn + 1 == turns)
                out.write(sum);
            if (++word == words) {
                word = 0;
                turn = turn + 1 == turns ? 0 : turn + 1;
            }
        }
    }
};

template <class in_T, class out_T, unsigned words, unsigned turns, unsigned simd, unsigned issues>
void sum_pool(hls::stream<in_T> &in, hls::stream<out_T> &out) {
    run_pool<sum_pool_loop<turns, simd, issues>, in_T, out_T, words>(in, out);
}

} // namespace sephw

#endif
