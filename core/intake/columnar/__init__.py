"""Parquet: read where it lies, its columns as text."""
