"""Controls about what watches the account."""
