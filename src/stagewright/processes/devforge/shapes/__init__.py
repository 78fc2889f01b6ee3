"""GitHub's JSON objects, as full as its OpenAPI description asks. Values in, JSON out: nothing here changes state."""
