// Output buffer of the host link: keeps the first frame of a run, compares all later ones with it.
//
// Parameters: LANES values per beat of BITS bits each, WORDS beats per frame.
// `start` with `repeats` (at least 1) expects that many frames; it is ready for a beat in every
//   cycle. `done` is up from the fourth cycle after the last beat on, until the next `start`;
//   then `equal` says whether all frames were equal, and `extra` whether a beat came that nobody
//   asked for. `last_beat` is up in the cycle after the last beat.
// Reading, while `done`: `value` is the value number `select` of beat `word`, extended to
//   VALUE_BITS bits, two cycles after both were set.
`default_nettype none

module sephw_link_sink #(
    parameter int LANES = 1,
    parameter int BITS = 8,
    parameter int WORDS = 1,
    parameter bit SIGNED = 1'b0,
    parameter int VALUE_BITS = 8,
    parameter int ADDRESS_BITS = WORDS > 1 ? $clog2(WORDS) : 1,
    parameter int LANE_BITS = LANES > 1 ? $clog2(LANES) : 1
) (
    input  wire                     clk,
    input  wire                     rst_n,
    input  wire                     start,
    input  wire  [            31:0] repeats,
    output wire                     last_beat,
    output logic                    done,
    output logic                    equal,
    output logic                    extra,
    input  wire  [ADDRESS_BITS-1:0] word,
    input  wire  [   LANE_BITS-1:0] select,
    output logic [  VALUE_BITS-1:0] value,
    input  wire  [  LANES*BITS-1:0] s_axis_tdata,
    input  wire                     s_axis_tvalid,
    output wire                     s_axis_tready
);
  logic [ADDRESS_BITS-1:0] address;
  logic [31:0] left;
  logic active;
  logic first_frame;
  logic valid;
  logic [LANES*BITS-1:0] data;
  logic compare;
  logic [LANES*BITS-1:0] compared;
  logic [1:0] finishing;
  wire [LANES*BITS-1:0] kept;
  wire last_word = address == ADDRESS_BITS'(WORDS - 1);
  assign s_axis_tready = 1'b1;
  assign last_beat = active && valid && last_word && left == 32'd1;

  always_ff @(posedge clk) begin
    data     <= s_axis_tdata;
    compared <= data;
    if (!rst_n) begin
      active    <= 1'b0;
      valid     <= 1'b0;
      compare   <= 1'b0;
      finishing <= '0;
      done      <= 1'b0;
      equal     <= 1'b0;
      extra     <= 1'b0;
      address   <= '0;
    end else begin
      valid     <= s_axis_tvalid;
      compare   <= valid && active && !first_frame;
      finishing <= {finishing[0], last_beat};
      if (start) begin
        active      <= 1'b1;
        first_frame <= 1'b1;
        done        <= 1'b0;
        equal       <= 1'b1;
        address     <= '0;
        left        <= repeats;
      end else begin
        if (compare && compared != kept) equal <= 1'b0;
        if (valid && !active) extra <= 1'b1;
        if (finishing[1]) done <= 1'b1;
        if (valid && active) begin
          address <= last_word ? '0 : address + 1'b1;
          if (last_word) begin
            first_frame <= 1'b0;
            left        <= left - 1'b1;
            if (left == 32'd1) active <= 1'b0;
          end
        end
      end
    end
  end

  sephw_ram #(
      .WIDTH(LANES * BITS),
      .DEPTH(WORDS)
  ) outputs (
      .clk(clk),
      .write_enable(valid && active && first_frame),
      .write_address(address),
      .write_data(data),
      .read_address(active ? address : word),
      .read_data(kept)
  );

  wire [BITS-1:0] chosen = kept[32'(select)*BITS+:BITS];
  if (SIGNED) begin : extend_sign
    always_ff @(posedge clk) value <= VALUE_BITS'($signed(chosen));
  end else begin : extend_zero
    always_ff @(posedge clk) value <= VALUE_BITS'(chosen);
  end
endmodule

`default_nettype wire
