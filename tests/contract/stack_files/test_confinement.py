"""Nothing that a stack can name reads outside of its repository (``stack.md`` section 19, property 8)."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.stack_files.conftest import make
from tests.fakes.stack_files import Content, Link
from tests.unit.deploys.stacks import STACK, fragment

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.model.tree import plain
from stagewright.contexts.deploys.rules.loading import load

CANARY = "canary-outside-41d7"
PARTS = (
    "..",
    ".",
    "deploy",
    "link",
    "secret.yaml",
    "shop",
    "*",
    "**",
    "?",
    "[.][.]",
    "x.yaml",
    "",
    "~",
    ".git",
    "config",
)
PATHS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map("/".join)


@given(
    st.lists(PATHS, min_size=1, max_size=6),
    PATHS,
    st.sampled_from(("folder", "work tree", "mirror", "memory")),
    st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_path_pattern_or_link_reads_outside(paths: list[str], target: str, kind: str, absolute: bool) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        outside = Path(name)
        outside.joinpath("secret.yaml").write_text(fragment(f"spec: {{x-found: {CANARY}}}"))
        goal = f"{outside}/{target}" if absolute else target or "."
        items = [*paths, f"{outside}/secret.yaml"]
        files: dict[str, Content] = {
            "services.yaml": STACK + f"spec: {{imports: {items!r}}}\n",
            "deploy/x.yaml": fragment("spec: {x-in: 1}"),
            "deploy/link": Link(goal),
            "link": Link(goal),
            "link.yaml": Link(f"{goal}/secret.yaml"),
        }
        source = make(kind, outside / "shop", files, opened)
        found = Findings()
        result = load(Repositories(root="main", sources={"main": source}), found)
        assert result is None or CANARY not in repr(plain(result.tree))
        assert CANARY not in repr(found.items)
        for path in ("link", "link/secret.yaml", "link.yaml", "deploy/link/secret.yaml"):
            entry = source.stat(path)
            if entry is not None and entry.kind == "file":
                assert CANARY.encode() not in source.read(path, most=1000).data
