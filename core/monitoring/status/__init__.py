"""How the whole stands at one moment: figures, targets by environment, suggestions, what changed since a saved one."""
