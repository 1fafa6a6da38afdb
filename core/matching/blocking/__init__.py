"""Which pairs are compared: keys, sorted blocks, passes that share work, candidate pairs."""
