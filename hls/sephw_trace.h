// Records what passes through the streams of a project in C-simulation. Compiled only where
// SEPHW_TRACE is defined; synthesis never sees it.
#ifndef SEPHW_TRACE_H_
#define SEPHW_TRACE_H_

#ifdef SEPHW_TRACE

#include <cstddef>
#include <cstdint>
#include "hls_stream.h"

namespace sephw {

// Where the next integer of each stream goes; null for a stream that nobody wants.
extern std::int64_t **trace_sinks;

// Stores every integer of one frame in order; the stream holds the same beats afterwards.
template <class T> void trace(hls::stream<T> &stream, unsigned index) {
    std::int64_t *&sink = trace_sinks[index];
    if (sink == nullptr)
        return;
    for (std::size_t beats = stream.size(); beats > 0; beats--) {
        const T beat = stream.read();
        for (unsigned lane = 0; lane < T::size; lane++)
            *sink++ = beat[lane].to_int64();
        stream.write(beat);
    }
}

} // namespace sephw

#endif

#endif
