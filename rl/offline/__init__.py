"""Agents trained offline on ranked pairs of trajectories, by a preference objective."""
