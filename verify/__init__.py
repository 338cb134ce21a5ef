"""Decides the conditions: exact algebra, counterexamples, certificates and their checker."""
