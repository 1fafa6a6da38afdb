"""Answers in the database: how items stand, what was applied by which event, and how that is taken back."""
