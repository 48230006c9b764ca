"""ph test: the suites and what they share."""
