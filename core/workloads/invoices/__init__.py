"""Cash application: which payments settle which invoices, to the cent."""
