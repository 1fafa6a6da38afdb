"""Records packed into fixed-width rows of words, and the dictionaries behind their codes."""
