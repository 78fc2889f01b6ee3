"""What the worker makes true about runs. Each pass is safe to stop anywhere and to run twice at once."""
