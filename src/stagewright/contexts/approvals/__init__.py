"""Requests that a person decides: their states, the capability a decision gives, and its one execution."""
