"""`headrace scale`: consumers by the depth of a queue, for real and simulated."""
