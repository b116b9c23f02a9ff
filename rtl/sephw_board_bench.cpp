// Runs the top module of a board behind a model of its USB bridge; commands come on standard input.
//
// Usage: sephw_sim UART_HZ CLOCK_HZ BAUD: the oscillator, the network's clock, the line. Cycles are
// those of the oscillator; the edges of the network's clock fall where its rate puts them. All numbers of the protocol are 32-bit little-endian. Commands:
//   'W' n, n bytes     queue bytes for the line to the board
//   'C'                forget the bytes that are still queued, and cut the one being sent
//   'R' cycles         run until a byte has come from the board, or that many cycles
//   'B' cycles         run with the button held down
//   'N' line p seed    noise: line 0 to the board, 1 from it; each bit time starts a disturbance
//                      with probability p / 2^32; seed not 0
//   'L'                lights: run 0 cycles
// 'R', 'B' and 'L' are answered: cycles that passed, lights as bits, disturbances so far, number of
// bytes, bytes.
// A disturbance inverts the line for one cycle up to two bit times. Bit times of the model are
// exact fractions of the oscillator, so BAUD need not be what the board's divider makes. The bridge
// hands on a byte even if its stop bit is broken, as real ones do.
#include "sephw_board.h"
#include <verilated.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

namespace {

struct Noise {
    std::uint64_t state = 0;
    std::uint32_t probability = 0;
    double next = 0; // when the next bit time begins
    std::uint64_t until = 0;
    std::uint32_t count = 0;

    std::uint32_t draw() { // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return static_cast<std::uint32_t>((state * 0x2545F4914F6CDD1DULL) >> 32);
    }
    bool flips(std::uint64_t cycle, double bit_cycles) {
        if (probability == 0)
            return false;
        if (static_cast<double>(cycle) >= next) {
            next = static_cast<double>(cycle) + bit_cycles;
            if (draw() < probability) {
                until = cycle + 1 + draw() % static_cast<std::uint32_t>(2 * bit_cycles);
                count++;
            }
        }
        return cycle < until;
    }
};

// From the host to the board.
struct Sender {
    std::deque<std::uint8_t> queue;
    bool busy = false;
    double began = 0, end = 0;

    bool level(std::uint64_t cycle, double bit_cycles) {
        const double now = static_cast<double>(cycle);
        if (busy && now >= end) {
            queue.pop_front();
            busy = false;
        }
        if (!busy) {
            if (queue.empty())
                return true;
            busy = true;
            began = now - end < 1 ? end : now; // without a gap behind the byte before
            end = began + 10 * bit_cycles;
        }
        const int bit = static_cast<int>((now - began) / bit_cycles);
        return bit == 0 ? false : bit > 8 || ((queue.front() >> (bit - 1)) & 1);
    }
};

// From the board to the host.
struct Receiver {
    std::vector<std::uint8_t> bytes;
    int bit = -1; // next to sample; -1: none, 10: waits for the line to rest
    double began = 0;
    std::uint8_t value = 0;

    void step(bool line, std::uint64_t cycle, double bit_cycles) {
        const double now = static_cast<double>(cycle);
        if (bit == 10 && line)
            bit = -1;
        if (bit == -1 && !line) {
            bit = 0;
            began = now;
        }
        if (bit < 0 || bit > 9 || now < began + (bit + 0.5) * bit_cycles)
            return;
        if (bit == 0 && line) {
            bit = -1;
            return;
        }
        if (bit >= 1 && bit <= 8)
            value = static_cast<std::uint8_t>(value >> 1 | (line ? 0x80 : 0));
        if (bit == 9)
            bytes.push_back(value);
        bit = bit == 9 ? (line ? -1 : 10) : bit + 1;
    }
};

std::uint32_t number() {
    unsigned char raw[4];
    if (std::fread(raw, 1, 4, stdin) != 4)
        std::exit(0);
    return raw[0] | raw[1] << 8 | raw[2] << 16 | static_cast<std::uint32_t>(raw[3]) << 24;
}

void put(std::uint32_t value) {
    for (int i = 0; i < 4; i++)
        std::putchar(static_cast<int>(value >> (8 * i) & 0xFF));
}

class Bench {
  public:
    Bench(double uart_hz, double clock_hz, double baud)
        : bit_cycles_(uart_hz / baud), edge_cycles_(uart_hz / clock_hz / 2) {
        context_.randReset(2); // registers without reset start at random
        context_.randSeed(1);
        model_ = std::make_unique<sephw::Model>(&context_);
        sephw::press(*model_, false);
        sephw::clock(*model_, false);
        model_->uart_rx = 1;
    }

    void serve() {
        for (;;) {
            switch (std::getchar()) {
            case 'W':
                for (std::uint32_t left = number(); left > 0; left--)
                    sender_.queue.push_back(static_cast<std::uint8_t>(std::getchar()));
                break;
            case 'C':
                sender_ = Sender();
                break;
            case 'R':
                answer(run(number(), true));
                break;
            case 'B': {
                const std::uint32_t cycles = number();
                sephw::press(*model_, true);
                const std::uint32_t passed = run(cycles, false);
                sephw::press(*model_, false);
                answer(passed);
                break;
            }
            case 'N': {
                Noise &noise = noise_[number() & 1];
                noise.probability = number();
                noise.state = number();
                break;
            }
            case 'L':
                answer(0);
                break;
            default:
                return;
            }
        }
    }

  private:
    std::uint32_t run(std::uint32_t limit, bool stop_at_byte) {
        std::uint32_t passed = 0;
        while (passed < limit && !(stop_at_byte && !receiver_.bytes.empty())) {
            const bool noise_in = noise_[0].flips(cycle_, bit_cycles_);
            const bool noise_out = noise_[1].flips(cycle_, bit_cycles_);
            model_->uart_rx = sender_.level(cycle_, bit_cycles_) != noise_in;
            network_until(static_cast<double>(cycle_));
            model_->clk_in = 1;
            model_->eval();
            context_.timeInc(1);
            receiver_.step((model_->uart_tx != 0) != noise_out, cycle_, bit_cycles_);
            network_until(static_cast<double>(cycle_) + 0.5);
            model_->clk_in = 0;
            model_->eval();
            context_.timeInc(1);
            cycle_++;
            passed++;
        }
        return passed;
    }

    // The network's clock up to a time in cycles of the oscillator.
    void network_until(double cycle) {
        for (; static_cast<double>(edge_) * edge_cycles_ <= cycle; edge_++) {
            sephw::clock(*model_, (edge_ & 1) != 0);
            model_->eval();
            context_.timeInc(1);
        }
    }

    void answer(std::uint32_t passed) {
        put(passed);
        put(sephw::lights(*model_));
        put(noise_[0].count + noise_[1].count);
        put(static_cast<std::uint32_t>(receiver_.bytes.size()));
        std::fwrite(receiver_.bytes.data(), 1, receiver_.bytes.size(), stdout);
        std::fflush(stdout);
        receiver_.bytes.clear();
    }

    VerilatedContext context_;
    std::unique_ptr<sephw::Model> model_;
    double bit_cycles_;
    double edge_cycles_; // between two edges of the network's clock
    std::uint64_t edge_ = 0;
    std::uint64_t cycle_ = 0;
    Sender sender_;
    Receiver receiver_;
    Noise noise_[2];
};

} // namespace

int main(int argc, char **argv) {
    if (argc != 4) {
        std::fprintf(stderr, "give UART_HZ, CLOCK_HZ and BAUD\n");
        return 2;
    }
    Bench(std::atof(argv[1]), std::atof(argv[2]), std::atof(argv[3])).serve();
    return 0;
}
