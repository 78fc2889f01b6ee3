"""A run's life: admission, attempts, waits, results, effects, comments."""
