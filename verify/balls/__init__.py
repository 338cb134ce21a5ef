"""Rigorous evaluation: at exact points, and over boxes."""
