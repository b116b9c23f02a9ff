"""Training: `sephw train`, also `python -m sephw.train`."""
