"""Pairs for people to decide: the list that published runs fill, and verdicts as decisions of later runs."""
