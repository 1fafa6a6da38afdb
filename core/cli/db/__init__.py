"""`headrace db`: schema, server, settings."""
