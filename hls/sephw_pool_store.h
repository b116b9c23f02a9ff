// What a pool keeps from turn to turn, one beat per word: registers where they are few, else a
// memory, since a choice among hundreds of registers does not fit a clock cycle.
//
// Loop: template <class in_T, class out_T, unsigned words> static void issues(in, out, held), which
//      reads and writes held[word], word by word in turn, one an issue.
#ifndef SEPHW_POOL_STORE_H_
#define SEPHW_POOL_STORE_H_

#include "sephw_common.h"

namespace sephw {

// At most so many words are registers.
static const unsigned pool_registers = 8;

template <bool MEMORY> struct pool_store {
    template <class Loop, class in_T, class out_T, unsigned words>
    static void run(hls::stream<in_T> &in, hls::stream<out_T> &out) {
#pragma HLS INLINE
        out_T held[words];
#pragma HLS ARRAY_PARTITION variable = held complete dim = 0
        Loop::template issues<in_T, out_T, words>(in, out, held);
    }
};

template <> struct pool_store<true> {
    template <class Loop, class in_T, class out_T, unsigned words>
    static void run(hls::stream<in_T> &in, hls::stream<out_T> &out) {
#pragma HLS INLINE
        static_assert(words > 8, "the distance below");
        out_T held[words];
#pragma HLS AGGREGATE variable = held
#pragma HLS BIND_STORAGE variable = held type = ram_2p
        // A word is read again `words` issues after it was written.
#pragma HLS DEPENDENCE variable = held type = inter direction = RAW distance = 8 dependent = true
        Loop::template issues<in_T, out_T, words>(in, out, held);
    }
};

template <class Loop, class in_T, class out_T, unsigned words>
void run_pool(hls::stream<in_T> &in, hls::stream<out_T> &out) {
#pragma HLS INLINE
    pool_store<(words > pool_registers)>::template run<Loop, in_T, out_T, words>(in, out);
}

} // namespace sephw

#endif
