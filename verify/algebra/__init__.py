"""Exact algebra: formulas as quotients of polynomials over atoms, and what signs they have."""
