"""Records made from a seed, with known truth: for demonstrations, tests and measurements of every kind."""
