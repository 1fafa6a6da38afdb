"""What lies in the queue's tables, and how it is kept: flows, partitions, items, headers, retention, statistics."""
