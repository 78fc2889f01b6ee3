"""Verbs of identity inside a given transaction."""
