"""The stages of a linkage job, one module each: `sizes` of its batches and `run`, the work of one."""
