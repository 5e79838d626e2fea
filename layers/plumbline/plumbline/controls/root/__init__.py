"""Controls about the root user."""
