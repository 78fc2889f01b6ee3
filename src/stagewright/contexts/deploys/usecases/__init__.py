"""What others ask of the stack engine."""
