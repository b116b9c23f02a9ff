// A DMA around sephw_accelerator, with pauses: reads images from the file that is named first,
// writes three bytes for each byte it receives (value, whether TLAST ends here, TKEEP) to standard
// output, and the build number to standard error. Second argument: seed of the pauses.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

int main(int, char **arguments) {
    VerilatedContext context;
    Vtop top{&context};
    FILE *file = std::fopen(arguments[1], "rb");
    if (!file)
        return 1;
    std::vector<uint8_t> images;
    for (int byte; (byte = std::fgetc(file)) != EOF;)
        images.push_back(byte);
    std::mt19937 random(std::atoi(arguments[2]));
    const size_t expected = std::atoi(arguments[3]);
    const auto step = [&] {
        top.ap_clk = 1;
        top.eval();
        top.ap_clk = 0;
        top.eval();
    };
    top.ap_clk = top.ap_rst_n = top.s_axis_tvalid = top.m_axis_tready = 0;
    top.eval();
    for (int i = 0; i < 16; i++)
        step();
    top.ap_rst_n = 1;
    std::fprintf(stderr, "%08x%08x", top.build_id_high, top.build_id_low);
    size_t sent = 0, received = 0;
    for (int cycle = 0; cycle < 2000000 && received < expected; cycle++) {
        // Pauses of the memory, long and short; once valid, a beat stays.
        const bool flows = random() % (cycle / 4096 % 2 ? 2 : 40) != 0;
        if (!top.s_axis_tvalid && flows && sent < images.size()) {
            top.s_axis_tvalid = 1;
            top.s_axis_tdata = 0;
            for (int i = 0; i < 4; i++)
                top.s_axis_tdata |= uint32_t(images[sent + i]) << 8 * i;
            // Nothing may depend on these two.
            top.s_axis_tkeep = random() % 16;
            top.s_axis_tlast = random() % 2;
        }
        top.m_axis_tready = random() % (cycle / 2048 % 2 ? 2 : 30) != 0;
        top.eval();
        const bool taken = top.s_axis_tvalid && top.s_axis_tready;
        if (top.m_axis_tvalid && top.m_axis_tready) {
            for (int i = 0; i < 4; i++, received++) {
                std::putchar(top.m_axis_tdata >> 8 * i & 0xFF);
                std::putchar(top.m_axis_tlast && i == 3);
                std::putchar(top.m_axis_tkeep >> i & 1);
            }
        }
        step();
        if (taken) {
            top.s_axis_tvalid = 0;
            sent += 4;
        }
    }
    return received == expected ? 0 : 2;
}
