"""Events, read without trust."""
