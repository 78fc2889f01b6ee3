"""Sealed credentials and the chain that resolves them."""
