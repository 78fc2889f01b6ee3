"""A policy for people to read: the effective values with their sources."""

import copy
from typing import Any

from stagewright.contexts.workflow.model.policy import Policy


def effective(policy: Policy) -> dict[str, Any]:
    """Return ``{hash, policy, sources}``: the effective document, and per JSON pointer the file a value comes from
    (``builtin``, ``platform`` or ``project``)."""
    return {
        "hash": policy.hash,
        "policy": copy.deepcopy(dict(policy.document)),
        "sources": {place: source.value for place, source in sorted(policy.sources.items())},
    }
