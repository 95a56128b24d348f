"""A PostgreSQL server of our own, for tests and benchmarks: from a package, without installing or configuring any."""
