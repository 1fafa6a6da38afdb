"""`headrace pipeline`: a module for each command or few."""
