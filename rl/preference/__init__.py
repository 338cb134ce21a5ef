"""Offline preference optimisation: objectives, data, and agents trained on pairs of trajectories."""
