"""What people decided: exemptions and pauses. Pure."""
