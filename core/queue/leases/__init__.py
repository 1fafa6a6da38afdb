"""A batch under work: claimed, kept, completed or failed; dead letters and dead workers."""
