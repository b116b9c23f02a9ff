// Drives a generated top module cycle by cycle and records every beat of every stream.
//
// Usage: sephw_sim DATA [--frames N] [--quiet-limit CYCLES] [--clock-ps PS] [--record DIRECTORY]
//                  [--check-stable] [--vcd FILE] [--reset CYCLE:LENGTH]... [--seed N]
// DATA holds, by port number i:
//   input_<i>.bin     beats of s_axis_<i>: 32-bit little-endian words, lowest bits first; of a
//                     constant input those of one pixel, again and again
//   source_<i>.bin    optional, one byte a cycle, cyclic: a new beat may be offered where it is 1
//   sink_<i>.bin      optional, one byte a cycle, cyclic: m_axis_<i> is ready where it is 1
//   expected_<i>.bin  optional, beats of m_axis_<i>, compared
// DIRECTORY receives stream_<k>.bin for stream k of streams.json: per beat the cycle (64 bits) in
// which tvalid and tready were both up, then its words. Cycle 0 is the first with ap_rst_n high.
// Registers start at random (of --seed), and one cycle of reset makes an end of that. Each --reset
// pulls ap_rst_n down again, in cycle CYCLE, for LENGTH cycles; then everything begins anew with
// the first frame and cycle 0, so what is recorded and compared is what follows the last of them.
// Meanwhile sources offer beats and sinks take them, which must not matter.
//
// Exit status: 0 all beats of all frames moved, 1 an expected beat differs, 2 a file is missing,
// 3 nothing moved for CYCLES cycles, 4 a beat that waited changed (with --check-stable).
#include "sephw_streams.h"
#include <verilated.h>
#if VM_TRACE
#include <verilated_vcd_c.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using Words = std::vector<std::uint32_t>;

template <class T> void to_words(const T &value, std::uint32_t *words, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        words[i] = static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> (32 * i));
    }
}
template <std::size_t N>
void to_words(const VlWide<N> &value, std::uint32_t *words, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        words[i] = value[i];
}
template <class T> void from_words(T &value, const std::uint32_t *words, unsigned count) {
    std::uint64_t both = words[0];
    if (count > 1)
        both |= static_cast<std::uint64_t>(words[1]) << 32;
    value = static_cast<T>(both);
}
template <std::size_t N>
void from_words(VlWide<N> &value, const std::uint32_t *words, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        value[i] = words[i];
}

constexpr unsigned word_count(unsigned bits) { return (bits + 31) / 32; }

template <class T> bool load(const std::string &path, std::vector<T> &values) {
    std::FILE *file = std::fopen(path.c_str(), "rb");
    if (!file)
        return false;
    std::fseek(file, 0, SEEK_END);
    values.resize(static_cast<std::size_t>(std::ftell(file)) / sizeof(T));
    std::rewind(file);
    const std::size_t read = std::fread(values.data(), sizeof(T), values.size(), file);
    std::fclose(file);
    return read == values.size();
}

[[noreturn]] void fail(int status, const std::string &message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(status);
}

struct Pattern {
    std::vector<std::uint8_t> cycles;
    bool at(std::uint64_t cycle) const {
        return cycles.empty() || cycles[cycle % cycles.size()] != 0;
    }
};

struct Source {
    Words words;
    Pattern pattern;
    std::size_t next = 0; // first word of the beat that is offered next
    bool offered = false;
    bool constant = false;  // the beats come again for every pixel
    std::uint64_t left = 0; // beats of all frames
    bool ready() const { return left > 0 && next < words.size(); }
    void restart(std::uint64_t beats) {
        next = 0;
        offered = false;
        left = beats;
    }
};

struct Sink {
    Words expected;
    Pattern pattern;
    std::size_t next = 0;
};

struct Record {
    std::FILE *file = nullptr;
    std::uint64_t beats = 0;
    Words waiting; // the beat that was offered and not taken in the last cycle
    bool restart() {
        beats = 0;
        waiting.clear();
        if (!file)
            return true;
        std::rewind(file);
        return std::fflush(file) == 0 && ftruncate(fileno(file), 0) == 0;
    }
};

struct Reset {
    std::uint64_t cycle = 0, length = 1;
};

struct Options {
    std::string data, record, vcd;
    std::uint64_t frames = 1, quiet_limit = 100000, clock_ps = 10000;
    int seed = 1;
    bool check_stable = false;
    std::vector<Reset> resets;
};

Options parse(int argc, char **argv) {
    Options options;
    for (int i = 1; i < argc; i++) {
        const std::string word = argv[i];
        const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
        if (word == "--frames")
            options.frames = std::strtoull(value().c_str(), nullptr, 10);
        else if (word == "--quiet-limit")
            options.quiet_limit = std::strtoull(value().c_str(), nullptr, 10);
        else if (word == "--clock-ps")
            options.clock_ps = std::strtoull(value().c_str(), nullptr, 10);
        else if (word == "--seed")
            options.seed = std::atoi(value().c_str());
        else if (word == "--record")
            options.record = value();
        else if (word == "--check-stable")
            options.check_stable = true;
        else if (word == "--vcd")
            options.vcd = value();
        else if (word == "--reset") {
            Reset reset;
            char *end = nullptr;
            const std::string text = value();
            reset.cycle = std::strtoull(text.c_str(), &end, 10);
            if (*end != ':' || (reset.length = std::strtoull(end + 1, nullptr, 10)) == 0)
                fail(2, "give --reset CYCLE:LENGTH, not '" + text + "'");
            options.resets.push_back(reset);
        } else
            options.data = word;
    }
    if (options.data.empty())
        fail(2, "give the folder with input_0.bin");
    return options;
}

} // namespace

int main(int argc, char **argv) {
    const Options options = parse(argc, argv);
    const auto context = std::make_unique<VerilatedContext>();
    // Registers without reset start at random: nothing may depend on them.
    context->randReset(2);
    context->randSeed(options.seed);
    context->traceEverOn(!options.vcd.empty());
    const auto model = std::make_unique<sephw::Model>(context.get());

    std::vector<Source> sources(sephw::INPUTS);
    std::vector<Sink> sinks(sephw::OUTPUTS);
    std::vector<Record> records(sephw::STREAMS);
    for (unsigned i = 0; i < sephw::INPUTS; i++) {
        const std::string path = options.data + "/input_" + std::to_string(i) + ".bin";
        if (!load(path, sources[i].words))
            fail(2, path + " cannot be read");
        load(options.data + "/source_" + std::to_string(i) + ".bin", sources[i].pattern.cycles);
        sources[i].constant = sephw::CONSTANT[i];
    }
    for (unsigned i = 0; i < sephw::OUTPUTS; i++) {
        load(options.data + "/sink_" + std::to_string(i) + ".bin", sinks[i].pattern.cycles);
        load(options.data + "/expected_" + std::to_string(i) + ".bin", sinks[i].expected);
    }
    for (unsigned k = 0; k < sephw::STREAMS; k++) {
        if (options.record.empty())
            continue;
        const std::string path = options.record + "/stream_" + std::to_string(k) + ".bin";
        records[k].file = std::fopen(path.c_str(), "wb");
        if (!records[k].file)
            fail(2, path + " cannot be written");
    }
#if VM_TRACE
    VerilatedVcdC vcd;
    if (!options.vcd.empty()) {
        model->trace(&vcd, 99);
        vcd.open(options.vcd.c_str());
    }
#endif
    std::uint64_t half_cycle = 0;
    const auto half = [&](int level) {
        model->ap_clk = level;
        model->eval();
#if VM_TRACE
        if (!options.vcd.empty())
            vcd.dump(half_cycle * options.clock_ps / 2);
#endif
        half_cycle++;
    };

    std::uint64_t left = 0, cycle = 0, quiet = 0;
    const auto reset = [&](std::uint64_t length) {
        model->ap_rst_n = 0;
        for (std::uint64_t i = 0; i < length; i++) {
            sephw::each_input(
                *model, [&](unsigned k, auto &valid, auto &, auto &data, unsigned bits) {
                    const Source &source = sources[k];
                    if (source.words.empty())
                        return;
                    const std::size_t at = source.next < source.words.size() ? source.next : 0;
                    from_words(data, &source.words[at], word_count(bits));
                    valid = 1;
                });
            sephw::each_output(*model, [&](unsigned k, auto &, auto &ready, auto &, unsigned) {
                ready = sinks[k].pattern.at(cycle + i);
            });
            half(0);
            half(1);
        }
        model->ap_rst_n = 1;
        left = cycle = quiet = 0;
        for (unsigned i = 0; i < sephw::INPUTS; i++)
            sources[i].restart(sephw::WORDS[i] * options.frames);
        for (Sink &sink : sinks)
            sink.next = 0;
        for (unsigned k = 0; k < sephw::STREAMS; k++) {
            left += sephw::WORDS[k] * options.frames;
            if (!records[k].restart())
                fail(2, "a recording cannot be written");
        }
    };
    reset(1);

    Words beat(1);
    auto pulse = options.resets.begin();
    const auto pulses = options.resets.end();
    for (; (left > 0 && quiet <= options.quiet_limit) || pulse != pulses; cycle++) {
        while (pulse != pulses && pulse->cycle == cycle)
            reset((pulse++)->length);
        sephw::each_input(*model, [&](unsigned i, auto &valid, auto &, auto &data, unsigned bits) {
            Source &source = sources[i];
            if (!source.offered && source.ready() && source.pattern.at(cycle)) {
                from_words(data, &source.words[source.next], word_count(bits));
                source.offered = true;
                source.left--;
            }
            valid = source.offered;
        });
        sephw::each_output(*model, [&](unsigned i, auto &, auto &ready, auto &, unsigned) {
            ready = sinks[i].pattern.at(cycle);
        });
        half(0);

        quiet++;
        sephw::each_stream(
            *model, [&](unsigned k, auto &valid, auto &ready, auto &data, unsigned bits) {
                Record &record = records[k];
                if (options.check_stable && !record.waiting.empty()) {
                    beat.resize(word_count(bits));
                    to_words(data, beat.data(), word_count(bits));
                    if (!valid || beat != record.waiting) {
                        fail(4, "stream " + std::to_string(k) +
                                    ": a waiting beat changed in cycle " + std::to_string(cycle));
                    }
                }
                record.waiting.clear();
                if (!valid)
                    return;
                if (!ready) {
                    if (options.check_stable) {
                        record.waiting.resize(word_count(bits));
                        to_words(data, record.waiting.data(), word_count(bits));
                    }
                    return;
                }
                quiet = 0;
                record.beats++;
                left--;
                if (!record.file)
                    return;
                beat.resize(word_count(bits));
                to_words(data, beat.data(), word_count(bits));
                std::fwrite(&cycle, sizeof cycle, 1, record.file);
                std::fwrite(beat.data(), 4, beat.size(), record.file);
            });
        sephw::each_input(*model, [&](unsigned i, auto &, auto &ready, auto &, unsigned bits) {
            if (!sources[i].offered || !ready)
                return;
            sources[i].next += word_count(bits);
            if (sources[i].constant)
                sources[i].next %= sources[i].words.size();
            sources[i].offered = false;
        });
        sephw::each_output(
            *model, [&](unsigned i, auto &valid, auto &ready, auto &data, unsigned bits) {
                Sink &sink = sinks[i];
                if (!valid || !ready || sink.next + word_count(bits) > sink.expected.size())
                    return;
                beat.resize(word_count(bits));
                to_words(data, beat.data(), word_count(bits));
                if (std::memcmp(beat.data(), &sink.expected[sink.next], 4 * beat.size()) != 0) {
                    fail(1, "m_axis_" + std::to_string(i) + ": beat " +
                                std::to_string(sink.next / word_count(bits)) +
                                " differs from the expected one");
                }
                sink.next += word_count(bits);
            });
        half(1);
    }
    model->final();
#if VM_TRACE
    if (!options.vcd.empty())
        vcd.close();
#endif
    for (Record &record : records) {
        if (record.file && std::fclose(record.file) != 0)
            fail(2, "a recording cannot be written");
    }
    if (left > 0) {
        unsigned shown = 0;
        std::string message = "stalled in cycle " + std::to_string(cycle) + "; beats missing:";
        for (unsigned k = 0; k < sephw::STREAMS; k++) {
            const std::uint64_t missing = sephw::WORDS[k] * options.frames - records[k].beats;
            if (missing == 0)
                continue;
            if (++shown > 8) {
                message += ", and others";
                break;
            }
            message += (shown > 1 ? ", '" : " '") + std::string(sephw::NAMES[k]) + "' " +
                       std::to_string(missing);
        }
        fail(3, message);
    }
    const bool compared = std::any_of(sinks.begin(), sinks.end(),
                                      [](const Sink &sink) { return !sink.expected.empty(); });
    std::printf("%s%llu frames, %llu cycles\n",
                compared ? "PASS: every beat of the output as expected, " : "",
                static_cast<unsigned long long>(options.frames),
                static_cast<unsigned long long>(cycle));
    return 0;
}
