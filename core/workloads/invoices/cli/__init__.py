"""Commands of cash application."""
