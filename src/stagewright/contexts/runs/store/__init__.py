"""SQL of runs, one module per table family."""
