"""Pipelines as a workload: specs written by people, checked before anything runs, approved, and run exactly once."""
