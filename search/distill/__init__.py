"""Distillation with the verifier in the loop: samples of a drift in, a front of verdicts out."""
