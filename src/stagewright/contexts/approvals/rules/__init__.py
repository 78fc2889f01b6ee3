"""Decisions about requests: pure."""
