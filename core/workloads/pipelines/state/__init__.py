"""What outlives a run: versions and their approval, how far was read, what runs did."""
