"""ph: builds, runs, tests and debugs Polyhedron. Python's standard library only."""
