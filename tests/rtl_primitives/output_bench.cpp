// Reads `want` and `ready` of each cycle from the file that is named (two 32-bit words a cycle),
// writes the cycle, took, valid and the 21 beats at the heads (16 bits each) to standard output.
#include <cstdint>
#include <cstdio>

#include "Vtop.h"
#include "verilated.h"

int main(int, char **arguments) {
    VerilatedContext context;
    Vtop top{&context};
    const auto step = [&] {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
    };
    top.want = top.ready = top.rst_n = top.clk = 0;
    top.eval();
    for (int i = 0; i < 3; i++)
        step();
    top.rst_n = 1;
    FILE *patterns = std::fopen(arguments[1], "rb");
    if (!patterns)
        return 1;
    uint32_t words[2];
    while (std::fread(words, sizeof words, 1, patterns) == 1) {
        top.want = words[0];
        top.ready = words[1];
        top.eval();
        const uint32_t flags[2] = {top.took, top.valid};
        std::fwrite(flags, sizeof flags, 1, stdout);
        for (int unit = 0; unit < 21; unit++) {
            const uint16_t beat = top.data[unit / 2] >> (unit % 2 * 16);
            std::fwrite(&beat, sizeof beat, 1, stdout);
        }
        step();
    }
    return 0;
}
