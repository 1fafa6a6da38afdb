"""Benchmarks: harnesses only, run by `headrace bench`."""
