"""settle and its parts."""
