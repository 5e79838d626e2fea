"""What policy documents mean. Pure."""
