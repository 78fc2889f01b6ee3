"""Whatever a stack holds, preparing it ends in a stack or in findings, never in an exception."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.unit.deploys.preparing import CANDIDATE, LIVE, a_request
from tests.unit.deploys.stacks import a_stack, loaded

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.rules.loading import load
from stagewright.contexts.deploys.rules.preparing import prepare
from stagewright.contexts.deploys.rules.shape.checking import check_shape

_SCALARS = st.sampled_from(
    ["x", "1", "true", "candidate", "'{{ env.name }}'", "'{{ omit }}'", "'{{ 1 * 2 }}'", "'{{ candidate.key }}'", "''",
     "'{{ vars.a }}'", "'{{ images.a }}'", "5m", "!raw '{{ x }}'", "live", "preview", "'{{ 5 }}'", "'{{ true }}'"]
)  # fmt: skip
_KEYS = st.sampled_from(
    ["when", "name", "path", "hooks", "env", "args", "kind", "from", "quota", "namespaceTemplate", "domainTemplate",
     "a", "keys", "compose", "egress", "cidr", "default", "config", "environments", "pattern", "value",
     "defaultTTL", "sleep", "limits", "max", "defaults", "manifests", "scope", "x-a", "ports", "triggerModes",
     "ttlByRole", "maxLive"]
)  # fmt: skip
_PARTS = st.sampled_from(
    ["vars", "versions", "environments", "webhookRuntime", "components", "images", "secrets", "secretResolution",
     "infrastructure", "services", "orchestration", "projectDocs", "project", "x-note"]
)  # fmt: skip


def _flow(items: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"


_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(_KEYS, inner, max_size=4).map(_flow),
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.dictionaries(_KEYS, inner, max_size=3), max_size=2).map(
            lambda items: (
                "[" + ", ".join(_flow({"name": f"n{index}", **item}) for index, item in enumerate(items)) + "]"
            )
        ),
    ),
    max_leaves=12,
)
_ENVIRONMENTS = "environments: {live: {kind: production}, preview: {kind: candidate}}"


@settings(max_examples=100)
@given(st.dictionaries(_PARTS, _VALUES, max_size=5), st.booleans(), st.booleans())
def test_a_strange_stack_is_prepared_or_complained_of(parts: dict[str, str], live: bool, trusted: bool) -> None:
    extra = {} if "environments" in parts else {_ENVIRONMENTS.partition(": ")[0]: _ENVIRONMENTS.partition(": ")[2]}
    found = Findings()
    stack = load(a_stack(f"spec: {_flow({**parts, **extra})}\n"), Findings())
    assume(stack is not None)
    assert stack is not None
    check_shape(stack.tree, found)
    base = loaded(f"spec: {{{_ENVIRONMENTS}}}") if trusted else None
    result = prepare(stack, base, a_request(), LIVE if live else CANDIDATE, found)
    assert result is not None or found.failed
