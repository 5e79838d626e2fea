"""The rules: one folder a family, one file a control, the family's helpers beside it. See CONTRIBUTING.md."""
