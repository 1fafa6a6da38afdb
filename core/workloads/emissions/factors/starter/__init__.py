"""What is shipped: some 80 figures, rates and indices, cut from the publishers' files by `cut`; marked screening."""
