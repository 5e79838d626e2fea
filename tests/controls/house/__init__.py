"""Controls about Plumbline itself."""
