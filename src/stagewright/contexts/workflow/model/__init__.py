"""The words of the workflow context: `policy`, `decisions`, `reasons`, and the `outcomes` of its smaller rules."""
