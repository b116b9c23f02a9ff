"""The command `sephw export`: from a checkpoint to one verified directory."""
