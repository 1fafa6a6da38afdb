"""From a burst of work to consumers at work."""
