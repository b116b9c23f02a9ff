// Drives a module (clk, stimuli) -> responses and writes what its outputs are in each cycle.
//
// Usage: sephw_sim STIMULI RESPONSES. Both hold one row of 32-bit words a cycle, lowest bits first.
// A cycle: the inputs change while clk is up, clk falls, the outputs are noted, clk rises.
#include "Vtop.h"
#include <verilated.h>

#include <cstdint>
#include <cstdio>

int main(int, char **argv) {
    VerilatedContext context;
    context.randReset(2);
    Vtop top(&context);
    std::FILE *stimuli = std::fopen(argv[1], "rb");
    std::FILE *responses = std::fopen(argv[2], "wb");
    if (!stimuli || !responses)
        return 2;
    top.clk = 1;
    while (std::fread(&top.stimuli, sizeof top.stimuli, 1, stimuli) == 1) {
        top.eval();
        top.clk = 0;
        top.eval();
        std::fwrite(&top.responses, sizeof top.responses, 1, responses);
        top.clk = 1;
        top.eval();
    }
    return std::fclose(responses) == 0 ? 0 : 2;
}
