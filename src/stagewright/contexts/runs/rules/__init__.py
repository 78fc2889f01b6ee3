"""Decisions about runs: values in, a decision out."""
