"""What must hold, and the compiler of baseline.yaml."""
