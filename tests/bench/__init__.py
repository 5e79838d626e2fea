"""What bench/ says of its figures, and what it measures with."""
