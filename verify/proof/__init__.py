"""The search for proofs: regions, cells, germs at r = 1, and the rules."""
