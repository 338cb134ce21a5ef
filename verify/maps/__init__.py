"""Decides mirror maps φ⁻¹ and ψ: formulas in a probability x."""
