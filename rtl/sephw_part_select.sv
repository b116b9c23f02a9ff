// One of the parts of a word: a multiplexer as wide as the word has parts.
//
// Parameters: PARTS, at least 1, of BITS each, part 0 in the low bits of `word`.
// Timing: none, `part` follows `word` and `index` in the same cycle; `index` < PARTS.
//
// Two LUTs of an ECP5 and the multiplexers behind them choose among four bits, four among eight;
// the synthesis would take three and seven. With SEPHW_ECP5 defined the cells stand here one by
// one, a group of eight parts at a time; parts that a group lacks are its last one again, since
// the multiplexers want a LUT at both inputs.
`default_nettype none

module sephw_part_select #(
    parameter int PARTS = 2,
    parameter int BITS = 8,
    parameter int INDEX_BITS = PARTS > 1 ? $clog2(PARTS) : 1
) (
    input  wire [PARTS*BITS-1:0] word,
    input  wire [INDEX_BITS-1:0] index,
    output wire  [BITS-1:0] part
);
`ifdef SEPHW_ECP5
  // Input C chooses B.
  localparam logic [15:0] FUNCTION = 16'hCACA;
  localparam int GROUPS = (PARTS + 7) / 8;
  wire [GROUPS*BITS-1:0] chosen;

  for (genvar g = 0; g < GROUPS; g++) begin : group
    localparam int FIRST = 8 * g;
    localparam int COUNT = PARTS - FIRST < 8 ? PARTS - FIRST : 8;
    localparam int PAIRS = COUNT > 4 ? 4 : COUNT > 2 ? 2 : COUNT > 1 ? 1 : 0;
    for (genvar b = 0; b < BITS; b++) begin : bit_
      wire result;
      assign chosen[g*BITS+b] = result;
      if (PAIRS == 0) begin : only
        assign result = word[FIRST*BITS+b];
      end else begin : several
        wire [PAIRS-1:0] pairs;
        for (genvar i = 0; i < PAIRS; i++) begin : pair
          localparam int LEFT = FIRST + (2 * i < COUNT ? 2 * i : COUNT - 1);
          localparam int RIGHT = FIRST + (2 * i + 1 < COUNT ? 2 * i + 1 : COUNT - 1);
          LUT4 #(
              .INIT(FUNCTION)
          ) lut (
              .A(word[LEFT*BITS+b]),
              .B(word[RIGHT*BITS+b]),
              .C(index[0]),
              .D(1'b0),
              .Z(pairs[i])
          );
        end
        if (PAIRS == 1) begin : two
          assign result = pairs[0];
        end else begin : four
          wire [PAIRS/2-1:0] fours;
          for (genvar i = 0; i < PAIRS / 2; i++) begin : quarter
            PFUMX choose (
                .BLUT(pairs[2*i]),
                .ALUT(pairs[2*i+1]),
                .C0(index[1]),
                .Z(fours[i])
            );
          end
          if (PAIRS == 2) begin : all
            assign result = fours[0];
          end else begin : eight
            L6MUX21 choose (
                .D0(fours[0]),
                .D1(fours[1]),
                .SD(index[2]),
                .Z(result)
            );
          end
        end
      end
    end
  end

  if (GROUPS == 1) begin : done
    assign part = chosen;
  end else begin : rest
    sephw_part_select #(
        .PARTS(GROUPS),
        .BITS (BITS)
    ) among_groups (
        .word (chosen),
        .index(index[INDEX_BITS-1:3]),
        .part (part)
    );
  end
`else
  assign part = word[index*BITS+:BITS];
`endif
endmodule

`default_nettype wire
