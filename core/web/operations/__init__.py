"""Pages and API for operators: queue, workers, dead letters, scaling decisions."""
