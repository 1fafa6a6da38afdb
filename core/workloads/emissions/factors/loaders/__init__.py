"""One module a publisher: a file in, an edition and its factors out."""
