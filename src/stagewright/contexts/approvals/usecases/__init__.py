"""What is done with requests, inside a given transaction."""
