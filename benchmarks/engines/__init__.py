"""Engines side by side: each answers whether a drift can be negative."""
