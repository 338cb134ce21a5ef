"""The trainer: agents taught with a drift or a mirror map, and the statistics of their runs."""
