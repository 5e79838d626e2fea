"""Plumbline deployed to an embedded account: real rules, queues and roles."""
