"""Worked examples as vectors: read, recomputed with their units, held against what is expected."""
