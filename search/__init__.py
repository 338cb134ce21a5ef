"""How new drifts and mirror maps are found: meta-learning, search over formulas, distillation."""
