"""Version 0.1 beside today's: its own code, out of the history, in processes of its own, before the same account."""
