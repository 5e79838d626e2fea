"""The law that an upgrade loses nothing and surprises nobody, and that uninstalling leaves nothing behind."""
