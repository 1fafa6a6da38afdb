"""What Headrace tells about itself: metrics, logs, and what a process may use."""
