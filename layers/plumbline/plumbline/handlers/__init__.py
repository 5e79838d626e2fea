"""What each function does with what it is given."""
