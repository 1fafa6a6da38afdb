"""Users, sign-ins, tokens: in PostgreSQL, of secrets only digests."""
