"""Drifts as source text that runs elsewhere: NumPy, JAX, PyTorch, and patches for PPOs that use it."""
