"""Trainers side by side: each trains agents of one setting and says how long it took."""
