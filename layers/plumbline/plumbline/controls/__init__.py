"""One file, one control. See plumbline.core.Control for the shape and CONTRIBUTING.md for how to add one."""
