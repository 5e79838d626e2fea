"""Controls about EC2: what new volumes and instances are like by default."""
