"""What people read: e-mails. Pure."""
