"""What is amiss in a database, each finding with the statement that mends it; nothing is changed."""
