"""The report of a discovery: one page that needs nothing else, and the same as Markdown."""
