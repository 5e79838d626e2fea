"""What `make deploy` decides before it deploys, and what it says."""
