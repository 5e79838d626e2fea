"""Building on other machines than this one: older Pythons, macOS's make, paths with spaces."""
