"""Plans that are kept as files: what three stacks come to. ``python -m tests.golden`` writes them anew."""
