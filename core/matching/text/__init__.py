"""Columns of strings as bytes that kernels read and write without an object for each value."""
