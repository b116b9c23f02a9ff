// One lane's stage of a binary search: looks one threshold up and finds one more bit.
//
// Parameters: STAGE 0 to 7 of STAGES; FILE_<STAGE>, whose rows hold an entry of BITS bits for each
// of LANES lanes; LANE, whose entries are kept (synthesis drops the others); WORDS rows of the
// first stage; KEY_BITS of a key, at most BITS.
// Timing: `word`, `found` and `key` belong to cycle t, `threshold` and `key_1` to t + 1, `found_2`
// and `key_2` to t + 2.
// Invariant: `found` is the count of thresholds that the key reaches, cut to its STAGE highest
// bits; bits of `found` from STAGE on are 0.
`default_nettype none

module sephw_thresholds_stage #(
    parameter FILE_0 = "",
    parameter FILE_1 = "",
    parameter FILE_2 = "",
    parameter FILE_3 = "",
    parameter FILE_4 = "",
    parameter FILE_5 = "",
    parameter FILE_6 = "",
    parameter FILE_7 = "",
    parameter int STAGE = 0,
    parameter int STAGES = 1,
    parameter int LANES = 1,
    parameter int LANE = 0,
    parameter int WORDS = 1,
    parameter int WORD_BITS = 1,
    parameter int KEY_BITS = 8,
    parameter int BITS = 8
) (
    input  wire                  clk,
    input  wire  [WORD_BITS-1:0] word,
    input  wire  [   STAGES-1:0] found,
    input  wire  [ KEY_BITS-1:0] key,
    output logic [   STAGES-1:0] found_2,
    output logic [ KEY_BITS-1:0] key_2
);
  localparam int ROWS = WORDS << STAGE;
  localparam int ADDRESS_BITS = ROWS > 1 ? $clog2(ROWS) : 1;
  localparam int SUM_BITS = WORD_BITS + STAGES;

  logic [LANES*BITS-1:0] rows[0:ROWS-1];

  // Without a file (tools elaborate the defaults as well): zeros.
  if (STAGE == 0 && FILE_0 != "") begin : rows_0
    initial $readmemh(FILE_0, rows);
  end else if (STAGE == 1 && FILE_1 != "") begin : rows_1
    initial $readmemh(FILE_1, rows);
  end else if (STAGE == 2 && FILE_2 != "") begin : rows_2
    initial $readmemh(FILE_2, rows);
  end else if (STAGE == 3 && FILE_3 != "") begin : rows_3
    initial $readmemh(FILE_3, rows);
  end else if (STAGE == 4 && FILE_4 != "") begin : rows_4
    initial $readmemh(FILE_4, rows);
  end else if (STAGE == 5 && FILE_5 != "") begin : rows_5
    initial $readmemh(FILE_5, rows);
  end else if (STAGE == 6 && FILE_6 != "") begin : rows_6
    initial $readmemh(FILE_6, rows);
  end else if (STAGE == 7 && FILE_7 != "") begin : rows_7
    initial $readmemh(FILE_7, rows);
  end else begin : zeros
    initial for (int i = 0; i < ROWS; i++) rows[i] = '0;
  end

  wire [SUM_BITS-1:0] row = (SUM_BITS'(word) << STAGE) | SUM_BITS'(found);
  logic [LANES*BITS-1:0] entries;
  logic [STAGES-1:0] found_1;
  logic [KEY_BITS-1:0] key_1;
  wire [BITS-1:0] threshold = entries[LANE*BITS+:BITS];
  wire reached = BITS'(key_1) >= threshold;

  always_ff @(posedge clk) begin
    entries <= rows[row[ADDRESS_BITS-1:0]];
    found_1 <= found;
    key_1   <= key;
    found_2 <= STAGES'({found_1, reached});
    key_2   <= key_1;
  end
  wire unused = &{1'b0, row, entries};
endmodule

`default_nettype wire
