// Reads nine 32-bit words a cycle from the file that is named (s_data, out_data, flags: rst_n,
// s_valid, in_ready, out_valid, m_ready), writes the words of `seen` to standard output.
#include <cstdint>
#include <cstdio>

#include "Vtop.h"
#include "verilated.h"

int main(int, char **arguments) {
    VerilatedContext context;
    Vtop top{&context};
    FILE *patterns = std::fopen(arguments[1], "rb");
    if (!patterns)
        return 1;
    uint32_t words[9];
    while (std::fread(words, sizeof words, 1, patterns) == 1) {
        for (int i = 0; i < 4; i++) {
            top.s_data[i] = words[i];
            top.out_data[i] = words[4 + i];
        }
        top.rst_n = words[8] & 1;
        top.s_valid = words[8] >> 1 & 1;
        top.in_ready = words[8] >> 2 & 1;
        top.out_valid = words[8] >> 3 & 1;
        top.m_ready = words[8] >> 4 & 1;
        top.clk = 0;
        top.eval();
        std::fwrite(&top.seen[0], 4, 7 * 9, stdout);
        top.clk = 1;
        top.eval();
    }
    return 0;
}
