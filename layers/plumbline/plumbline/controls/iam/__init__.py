"""Controls about users, groups, roles and their policies."""
