"""Columns and types followed from the sources to the sink, before anything runs."""
