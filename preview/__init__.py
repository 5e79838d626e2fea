"""What Plumbline would find and do in an account, with the caller's own credentials; nothing is deployed or written."""
