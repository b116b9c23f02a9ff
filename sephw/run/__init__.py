"""The commands that use a board: `sephw run` and `sephw program`."""
