"""Purchase and activity lines made with known truth, every difficulty as a slice of its own."""
