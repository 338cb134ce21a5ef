"""Searches for mirror maps as a person sees them: begun, told of, drawn."""
