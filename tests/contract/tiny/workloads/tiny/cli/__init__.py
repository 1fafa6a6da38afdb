"""Commands of the tiny workload: one at the top, one in a group of the platform."""
