"""Drifts compared side by side: what is asked, how it is run, the table and the pictures."""
