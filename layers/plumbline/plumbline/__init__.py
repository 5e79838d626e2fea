"""Plumbline: a self-enforcing baseline for AWS accounts."""

__version__ = "0.1.0"
