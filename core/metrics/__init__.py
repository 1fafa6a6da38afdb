"""What Headrace tells about itself: logging set-up."""
