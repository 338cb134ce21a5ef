"""Drift networks: the conditions by structure, and certified numbers about them."""
