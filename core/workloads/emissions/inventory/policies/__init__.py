"""What a run leaves to its user: choices, rates, indices, classes, own entities."""
