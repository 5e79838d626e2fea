"""Stories of what watches Plumbline itself."""
