"""Answers against right ones, by meaning."""
