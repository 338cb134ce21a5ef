"""Objectives of preference optimisation: what they are, by name, and as text and files."""
