"""The matching engine: pure functions over columns and packed records; no I/O, no settings."""
