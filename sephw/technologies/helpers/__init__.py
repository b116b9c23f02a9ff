"""Parts of one family that are too long for its file; named by the family."""
