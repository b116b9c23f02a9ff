// Words through sephw_crossing between two clocks, and a count of one by the other.
//
// Usage: crossing FROM_PS TO_PS WORDS SEED BUSY: periods; BUSY of 16 cycles in which a side is
// willing. The slower clock comes out of reset last. Edges jitter by up to a tenth of the period. Writes the words that come out, then the
// most cycles of either clock from one word taken to the next one that could have been.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "Vtop.h"
#include "verilated.h"

int main(int, char **argv) {
    const double periods[2] = {std::atof(argv[1]), std::atof(argv[2])};
    const uint32_t words = static_cast<uint32_t>(std::atoi(argv[3]));
    std::mt19937 random(static_cast<uint32_t>(std::atoi(argv[4])));
    const uint32_t busy = static_cast<uint32_t>(std::atoi(argv[5]));
    VerilatedContext context;
    context.randReset(2);
    Vtop top{&context};
    double ideal[2] = {0, random() % 1000 / 1000.0 * periods[1]};
    double next[2] = {ideal[0], ideal[1]};
    uint32_t edges[2] = {}, taken = 0, given = 0;
    uint32_t since[2] = {}, longest[2] = {};
    bool counting = false;
    top.s_valid = top.m_ready = 0;
    top.from_rst_n = top.to_rst_n = 0;
    while (given < words) {
        const int side = next[1] < next[0];
        if (side == 0) {
            top.from_rst_n = std::min(edges[0], edges[1]) >= 4;
            top.s_valid = taken < words && random() % 16 < busy;
            top.s_data = taken & 0x1FF;
        } else {
            top.to_rst_n = std::min(edges[0], edges[1]) >= 4;
            top.m_ready = random() % 16 < busy;
        }
        top.eval();
        if (side == 0 ? top.from_rst_n : top.to_rst_n) {
            if (side == 0 && counting && top.s_ready) {
                for (int i = 0; i < 2; i++)
                    longest[i] = std::max(longest[i], since[i]);
                counting = false;
            }
            if (side == 0 && top.s_valid && top.s_ready) {
                taken++;
                counting = true;
                since[0] = since[1] = 0;
            }
            if (side == 1 && top.m_valid && top.m_ready) {
                std::printf("%u\n", top.m_data);
                given++;
            }
        }
        since[side]++;
        (side ? top.to_clk : top.from_clk) = 1;
        top.eval();
        (side ? top.to_clk : top.from_clk) = 0;
        top.eval();
        edges[side]++;
        ideal[side] += periods[side];
        next[side] = ideal[side] + (random() % 2001 / 1000.0 - 1) * periods[side] / 10;
        if (edges[0] > 400 * words + 1000 && edges[1] > 400 * words + 1000)
            return 1;
    }
    std::printf("%u %u\n", longest[0], longest[1]);
    return 0;
}
