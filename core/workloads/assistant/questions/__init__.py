"""Questions in SQL: what may be asked, and how one is asked."""
