"""What a label means and what follows from it: values in, a decision out. `builtin.yaml` holds the built-in policy."""
