"""What people, streets and towns are called in the United States, and how often."""
