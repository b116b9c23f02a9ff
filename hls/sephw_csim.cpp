// C interface to a project's top function, for C-simulation from another program.
//
// Compile with SEPHW_TRACE, SEPHW_TOP (the top function) and SEPHW_TOP_HEADER (its header, quoted).
#include <cstdint>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include SEPHW_TOP_HEADER
#include "firmware/nnet_utils/sephw_trace.h"

namespace sephw {
std::int64_t **trace_sinks = nullptr;
}

namespace {

// hls::stream reports reads from an empty stream and beats left behind on std::cout only.
class CapturedOutput {
public:
    CapturedOutput() : before_(std::cout.rdbuf(text_.rdbuf())) {}
    ~CapturedOutput() { std::cout.rdbuf(before_); }
    CapturedOutput(const CapturedOutput &) = delete;
    CapturedOutput &operator=(const CapturedOutput &) = delete;
    std::string text() const { return text_.str(); }

private:
    std::ostringstream text_;
    std::streambuf *before_;
};

} // namespace

// Runs `frames` frames of `in_words` input and `out_words` output beats. `images` holds the input
// integers frame by frame, `outputs` receives the output's, `sinks[index]` those of stream `index`
// (null: not wanted). Returns null, or a message that stays valid until the next call.
extern "C" __attribute__((visibility("default"))) const char *
sephw_run(const std::int64_t *images, std::uint64_t frames, std::uint64_t in_words,
          std::uint64_t out_words, std::int64_t *outputs, std::int64_t **sinks) {
    static std::string message;
    CapturedOutput captured;
    sephw::trace_sinks = sinks;
    for (std::uint64_t frame = 0; frame < frames; frame++) {
        hls::stream<input_t> in("input");
        hls::stream<result_t> out("output");
        for (std::uint64_t word = 0; word < in_words; word++) {
            input_t beat;
            for (unsigned lane = 0; lane < input_t::size; lane++)
                beat[lane] = static_cast<long long>(*images++);
            in.write(beat);
        }
        SEPHW_TOP(in, out);
        if (!in.empty() || out.size() != out_words) {
            message = "the top function left " + std::to_string(in.size()) +
                      " input beats and made " + std::to_string(out.size()) + " output beats";
            return message.c_str();
        }
        while (!out.empty()) {
            const result_t beat = out.read();
            for (unsigned lane = 0; lane < result_t::size; lane++)
                *outputs++ = beat[lane].to_int64();
        }
        message = captured.text();
        if (!message.empty())
            return message.c_str();
    }
    return nullptr;
}
