"""The pure stages of the pipeline, in the order of ``stack.md`` section 13. Equal inputs give equal bytes."""
