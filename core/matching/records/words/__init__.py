"""Texts as sets of words: all words of a data set with their weights, and records of the rarest of each text."""
