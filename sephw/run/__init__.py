"""Runs an exported network on a board: images, comparison, throughput."""
