"""Emissions in the database: lines as they were booked, what they are computed with, and inventories that stay."""
