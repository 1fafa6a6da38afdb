"""Which factor a line takes, or why none."""
