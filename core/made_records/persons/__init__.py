"""Persons made from a seed, with the errors that people and files make."""
