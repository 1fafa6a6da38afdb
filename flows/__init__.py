"""Prefect flows: what runs, in which order, how often it is retried."""
