"""Processes that drain the queue: the consumer, its workers, and who watches them."""
