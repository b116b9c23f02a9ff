// Fills the constant inputs of a project, weights from external memory, in C-simulation. Synthesis
// never sees it.
#ifndef SEPHW_FEED_H_
#define SEPHW_FEED_H_

#include <fstream>
#include <string>
#include <vector>
#include "hls_stream.h"

namespace sephw {

// The decimal integers of the file at `path`, the beats of one pixel, `pixels` times.
template <class T>
void feed(hls::stream<T> &stream, const std::string &path, unsigned long long pixels) {
    std::ifstream file(path.c_str());
    std::vector<long long> values;
    for (long long value; file >> value;)
        values.push_back(value);
    while (pixels-- > 0) {
        for (std::size_t first = 0; first + T::size <= values.size(); first += T::size) {
            T beat;
            for (unsigned lane = 0; lane < T::size; lane++)
                beat[lane] = values[first + lane];
            stream.write(beat);
        }
    }
}

} // namespace sephw

#endif
