"""Pages and API of invoices: how bank lines stand, what was applied of each, taking that back, and what is due."""
