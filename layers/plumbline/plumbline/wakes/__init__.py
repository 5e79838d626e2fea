"""Messages that make Plumbline look, and the CloudTrail records inside them, read without trust. Pure."""
