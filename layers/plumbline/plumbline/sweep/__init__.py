"""A sweep: its units of work, and what looking through one finds."""
