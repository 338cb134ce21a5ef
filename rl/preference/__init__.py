"""Offline preference optimisation: agents that act, and datasets of ranked trajectories."""
