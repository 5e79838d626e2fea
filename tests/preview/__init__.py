"""The preview of an account."""
