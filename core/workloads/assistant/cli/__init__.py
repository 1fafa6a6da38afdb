"""Commands of the assistant."""
