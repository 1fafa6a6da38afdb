"""Prefect blocks: connection settings kept by the Prefect server, turned into core settings."""
