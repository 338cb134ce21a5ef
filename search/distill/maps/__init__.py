"""Distillation of mirror maps and of whole objectives, every formula decided."""
