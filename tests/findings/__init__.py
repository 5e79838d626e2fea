"""Tests of findings: the pure life of one deviation."""
