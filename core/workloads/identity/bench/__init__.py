"""Benchmarks that need made persons or published identities."""
