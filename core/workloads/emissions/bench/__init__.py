"""How fast an inventory is computed."""
