"""Records one by one, each acknowledged for itself, on top of batches."""
