"""A job in stages of batches, whatever it computes: who hands them out, who runs them, what memory they have."""
