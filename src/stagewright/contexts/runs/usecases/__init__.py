"""Verbs of runs. They work inside a given transaction and never touch the network."""
