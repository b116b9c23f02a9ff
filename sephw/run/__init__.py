"""What a board does with an exported network: images, comparison, throughput."""
