"""Record linkage of any spec as a job: the request, its description, stages, history and results."""
