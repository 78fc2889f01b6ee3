"""The API of the market."""

print("market")
