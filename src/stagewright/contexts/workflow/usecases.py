"""The policy in force: the built-in one, and a project's over it. Reads the packaged file, once."""

from functools import lru_cache
from importlib.resources import files

from stagewright.contexts.workflow.errors import KindUnknown
from stagewright.contexts.workflow.model.policy import Kind, Policy
from stagewright.contexts.workflow.rules.policy_loading import load_policy


@lru_cache(maxsize=1)
def builtin_text() -> str:
    """Return the text of the built-in policy as it is packaged."""
    return files("stagewright.contexts.workflow.rules").joinpath("builtin.yaml").read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def effective_policy(project_text: str | None = None, platform_text: str | None = None) -> Policy:
    """Return the policy of a project's file over the platform's over the built-in one. Raises PolicyInvalid."""
    return load_policy(builtin_text(), project_text, platform_text=platform_text)


def builtin_policy() -> Policy:
    """Return the policy that holds where no file says otherwise."""
    return effective_policy()


def kind_of(policy: Policy, kind: str) -> Kind:
    """Return the row of ``kind``. Raises KindUnknown."""
    row = policy.kinds.get(kind)
    if row is None:
        raise KindUnknown(f"The policy knows no kind {kind!r}; use one of: {', '.join(policy.kinds)}.", kind=kind)
    return row
