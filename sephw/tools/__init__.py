"""External programs: find them, run them without a shell, read their messages."""
