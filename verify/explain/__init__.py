"""A decision as mathematics: the derivation that a referee would do by hand, checked by SymPy."""
