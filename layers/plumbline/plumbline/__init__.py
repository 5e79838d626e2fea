"""Plumbline: a self-enforcing baseline for AWS accounts."""

__version__ = "0.2.0.dev0"
