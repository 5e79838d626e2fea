"""What Plumbline itself is made of."""
