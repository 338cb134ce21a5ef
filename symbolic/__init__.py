"""The language of formulas: tree, table of operations, parser, printers, the known drifts."""
