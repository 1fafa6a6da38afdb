"""Headrace: everything that is true without Prefect."""
