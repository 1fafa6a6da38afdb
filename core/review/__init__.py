"""What people decide and what is recorded of it, for all workloads."""
