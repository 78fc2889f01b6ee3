"""The words of stacks: files, marked trees, diagnostics, the typed document, and the plan."""
