"""What scores say, and whether it holds."""
