"""Data sets of emission factors: read from publishers' files, held by the hash of what they say."""
