"""What must hold in a publisher's whole file."""
