"""The queue under load, beside other queues."""
