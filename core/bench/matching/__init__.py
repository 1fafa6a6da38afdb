"""Kernels and whole matches, beside other matchers."""
