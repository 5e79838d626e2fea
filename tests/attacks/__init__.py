"""What people with some rights do to Plumbline, or past it, and what comes of it."""
