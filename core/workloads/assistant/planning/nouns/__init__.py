"""Nouns of a request, and the places of the catalog that they mean."""
