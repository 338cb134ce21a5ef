"""Direct search over formulas: evolution over expression trees of drifts."""
