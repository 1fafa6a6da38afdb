"""Plain words to a checked pipeline, a change, a run or a question; whatever is not understood is asked back."""
