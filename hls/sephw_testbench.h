// Self-checking C testbench: tb_data/tb_input_features.dat and tb_output_predictions.dat hold one
// frame of decimal integers per line.
#ifndef SEPHW_TESTBENCH_H_
#define SEPHW_TESTBENCH_H_

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include "hls_stream.h"

namespace sephw {

// Runs every frame through `top`. Returns 0 when each output integer equals the expected one, 1
// otherwise: the exit status that C-simulation and co-simulation want. The outputs also go to the
// log that the project script compares between the two.
template <class in_T, class out_T>
int run_testbench(void (*top)(hls::stream<in_T> &, hls::stream<out_T> &)) {
    std::ifstream inputs("tb_data/tb_input_features.dat");
    std::ifstream expected("tb_data/tb_output_predictions.dat");
#ifdef RTL_SIM
    std::ofstream log("tb_data/rtl_cosim_results.log");
#else
    std::ofstream log("tb_data/csim_results.log");
#endif
    if (!inputs || !expected) {
        std::cout << "ERROR: tb_data is missing" << std::endl;
        return 1;
    }
    std::string input_line, expected_line;
    unsigned frames = 0, wrong = 0;
    while (std::getline(inputs, input_line) && std::getline(expected, expected_line)) {
        hls::stream<in_T> in("input");
        hls::stream<out_T> out("output");
        std::istringstream values(input_line), golden(expected_line);
        long long value;
        in_T in_beat;
        unsigned lane = 0;
        while (values >> value) {
            in_beat[lane] = value;
            if (++lane == in_T::size) {
                lane = 0;
                in.write(in_beat);
            }
        }
        top(in, out);
        bool equal = true;
        while (!out.empty()) {
            const out_T beat = out.read();
            for (lane = 0; lane < out_T::size; lane++) {
                log << beat[lane] << " ";
                equal = (golden >> value) && beat[lane] == value && equal;
            }
        }
        equal = !(golden >> value) && equal;
        log << "\n";
        if (!equal) {
            std::cout << "ERROR: frame " << frames << " differs from its golden output"
                      << std::endl;
            wrong++;
        }
        frames++;
    }
    std::cout << "INFO: " << frames - wrong << " of " << frames << " frames are equal" << std::endl;
    return frames > 0 && wrong == 0 ? 0 : 1;
}

} // namespace sephw

#endif
