"""Texts compared by their words: which words may stand for each other, and how much of two texts that covers."""
