"""What only one family has and is too long for its file; named by the family."""
