"""Organisations: suppliers, sites, names against a master list, names alone, and names in hundreds of spellings."""
