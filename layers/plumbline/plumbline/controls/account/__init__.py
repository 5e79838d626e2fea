"""Controls about the account as a whole."""
