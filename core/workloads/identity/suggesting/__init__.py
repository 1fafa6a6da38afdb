"""A first match spec for files that nobody has written one for, with the reason of everything in it."""
