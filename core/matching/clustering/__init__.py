"""From accepted pairs to entities, their lasting ids and their best values."""
