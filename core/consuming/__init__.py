"""Consumers: processes that take the batches of flows by name or by work queue, and show how they are."""
