"""What a person can ask and tell Plumbline, from CloudShell: commands by concern."""
