"""Verbs of the error journal. They work inside a given transaction and never touch the network."""
