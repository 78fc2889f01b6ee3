"""The shop: an API, a worker, and the jobs around them."""
