// Sends the frames of standard input (32-bit length, bytes) through every unit of link_bench, and
// writes what comes out: 16 bytes per event, see `Event`.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

struct Event {
    uint32_t cycle;
    uint32_t crc;
    uint8_t unit;
    uint8_t kind; // 'B' byte of the line, '!' broken byte, 'F' first, 'D' further byte, 'G' good, 'X' bad
    uint8_t data;
    uint8_t spare[5];
};

int main() {
    constexpr int UNITS = 5;
    VerilatedContext context;
    context.randReset(2);
    Vtop top{&context};
    std::vector<std::vector<uint8_t>> frames;
    uint32_t length;
    while (std::fread(&length, 4, 1, stdin) == 1) {
        frames.emplace_back(length);
        if (std::fread(frames.back().data(), 1, length, stdin) != length)
            return 1;
    }
    size_t frame[UNITS] = {}, at[UNITS] = {};
    uint64_t quiet = 0;
    top.data_valid = 0;
    top.rst_n = 0;
    for (uint32_t cycle = 0; quiet < 3000; cycle++, quiet++) {
        top.rst_n = cycle >= 4;
        uint64_t data = 0;
        top.data_valid = top.data_last = 0;
        for (int i = 0; i < UNITS; i++) {
            if (frame[i] < frames.size()) {
                top.data_valid |= 1 << i;
                top.data_last |= (at[i] + 1 == frames[frame[i]].size()) << i;
                data |= static_cast<uint64_t>(frames[frame[i]][at[i]]) << (8 * i);
            }
        }
        top.data = data;
        top.clk = 0;
        top.eval();
        const auto put = [&](int unit, uint8_t kind, uint8_t value) {
            const Event event{cycle, top.crc[unit], static_cast<uint8_t>(unit), kind, value, {}};
            std::fwrite(&event, sizeof event, 1, stdout);
            quiet = 0;
        };
        if (top.rst_n) {
            for (int i = 0; i < UNITS; i++) {
                if (top.byte_valid >> i & 1)
                    put(i, 'B', top.byte_data >> (8 * i));
                if (top.byte_broken >> i & 1)
                    put(i, '!', 0);
                if (top.out_valid >> i & 1)
                    put(i, top.out_first >> i & 1 ? 'F' : 'D', top.out_data >> (8 * i));
                if (top.good >> i & 1)
                    put(i, 'G', 0);
                if (top.bad >> i & 1)
                    put(i, 'X', 0);
                if ((top.data_valid & top.data_ready) >> i & 1) {
                    quiet = 0;
                    if (++at[i] == frames[frame[i]].size()) {
                        at[i] = 0;
                        frame[i]++;
                    }
                }
            }
        }
        top.clk = 1;
        top.eval();
    }
    return 0;
}
