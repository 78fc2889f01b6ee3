"""Decide kept deliveries, and find what no delivery told of."""
