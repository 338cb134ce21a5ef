"""Distillation of mirror maps: samples in log x, an objective, regression on a basis."""
