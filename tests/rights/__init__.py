"""What policy documents mean."""
