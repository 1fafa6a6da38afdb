"""Entities in the database: tables, lists for lookups, versions that count, exports."""
