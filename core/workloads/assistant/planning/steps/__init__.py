"""Clauses of a request as steps of a pipeline."""
