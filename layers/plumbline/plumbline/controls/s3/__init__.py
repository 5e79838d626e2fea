"""Controls about buckets."""
