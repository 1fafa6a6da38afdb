"""`headrace queue`: depth, batches, policies, retention, a live view."""
