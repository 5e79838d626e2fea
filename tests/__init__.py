"""What Plumbline promises, each promise as a test."""
