"""From a checkpoint to one verified directory."""
