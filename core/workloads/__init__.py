"""One folder per workload; workloads are strangers to each other."""
