"""Controls about what the account costs."""
