"""Pages and API of identities: data sets and jobs, and the pairs that people decide."""
