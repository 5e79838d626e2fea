"""A sweep: its units, and what looking through one finds."""
