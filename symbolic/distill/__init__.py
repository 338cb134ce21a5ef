"""Distillation engines: samples of a drift in, unverified candidate formulas out."""
