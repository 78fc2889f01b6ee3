"""From files to a plan or to everything that stands in its way, in one pass."""

from dataclasses import replace
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.stack_files import MemoryFiles
from tests.golden.plans import STACKS, request
from tests.unit.deploys.stacks import line_of

from stagewright.contexts.deploys.api import Repositories, Request, check_stack, plan_stack, selections
from stagewright.contexts.deploys.usecases.pipeline import read_files

SHOP = STACKS["shop"]
ENVIRONMENTS = ("live", "preview", "rehearsal")


def changed(asked: Request, before: str, after: str, file: str = "services.yaml") -> Request:
    """Return the request for a stack in which a text of a file is another one; its base stays as it is."""
    root = asked.repositories.sources["main"]
    assert isinstance(root, MemoryFiles)
    old = root.files[file]
    assert isinstance(old, bytes)
    assert before in old.decode()
    files = {**root.files, file: old.decode().replace(before, after).encode()}
    return replace(asked, repositories=Repositories(root="main", sources={"main": MemoryFiles(files)}))


def said(asked: Request) -> list[str]:
    """Return what a check of all environments says."""
    return [line_of(item) for item in check_stack(asked).diagnostics]


def test_a_right_stack_gives_a_plan_and_nothing_else() -> None:
    outcome = plan_stack(request(SHOP, "live"))
    assert outcome.plan is not None
    assert outcome.plan.hash.startswith("sp1:")
    assert outcome.diagnostics == ()
    assert outcome.skipped == ()


def test_without_a_server_a_plan_is_a_preview_that_says_what_is_open() -> None:
    outcome = plan_stack(request(SHOP, "live", known=False))
    assert outcome.plan is not None
    assert outcome.plan.hash.startswith("sp1p:")
    assert outcome.skipped == ("configuration values", "image digests")
    assert {item.code for item in outcome.diagnostics} == {"stack.image_digest_unresolved", "stack.secret_unresolved"}


def test_a_mistake_of_every_stage_shows_at_once() -> None:
    broken = request(SHOP, "live", known=False)
    for before, after, file in (
        ("deployOrder:", "deployOrdr:", "services.yaml"),
        ("if env.kind ==", "if env.knd ==", "deploy/k8s/api.yaml"),
        ("apps/v1\nkind: Deployment", "v1\nkind: Pod", "deploy/k8s/web.yaml"),
        ("docs/interface.md", "docs/nothing.md", "services.yaml"),
    ):
        broken = changed(broken, before, after, file)
    codes = {line.split()[0] for line in said(broken)}
    assert {"unknown_field", "template_undefined", "object_kind", "doc_missing"} <= codes
    assert plan_stack(broken).plan is None


def test_a_check_looks_at_every_environment_and_gives_candidates_a_sample_key() -> None:
    files = read_files(request(SHOP, "live"))
    assert [(item.environment, item.candidate) for item in selections(files)] == [
        ("live", None),
        ("preview", "i1"),
        ("rehearsal", None),
    ]


def test_a_plan_is_for_one_environment() -> None:
    with pytest.raises(ValueError, match="selection"):
        plan_stack(replace(request(SHOP, "live"), selection=None))


def test_a_secret_that_only_one_environment_uses_is_used() -> None:
    assert not [line for line in said(request(SHOP, "live", known=False)) if "unused_secret" in line]


def test_a_secret_that_nothing_names_is_told() -> None:
    spare = changed(
        request(SHOP, "live", known=False),
        "  secrets:\n",
        "  secrets:\n    - {name: spare, keys: {KEY: {generate: {kind: hex}}}}\n",
        "deploy/secrets.yaml",
    )
    assert [line for line in said(spare) if "unused_secret" in line] == [
        "unused_secret deploy/secrets.yaml:6: nothing uses the secret 'spare'; remove it"
    ]


def test_what_a_candidate_may_not_decide_changes_nothing_in_its_plan() -> None:
    asked = request(SHOP, "preview")
    plain, edited = plan_stack(asked), plan_stack(changed(asked, "maxLive: 4", "maxLive: 50"))
    assert plain.plan is not None
    assert edited.plan is not None
    assert edited.plan.hash == plain.plan.hash
    assert [item.code for item in edited.diagnostics] == ["stack.protected_change_ignored"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ENVIRONMENTS), st.randoms(use_true_random=False))
def test_the_order_in_which_files_are_found_changes_no_byte(environment: str, shuffle: Random) -> None:
    asked = request(SHOP, environment)
    root = asked.repositories.sources["main"]
    assert isinstance(root, MemoryFiles)
    names = list(root.files)
    shuffle.shuffle(names)
    source = MemoryFiles({name: root.files[name] for name in names}, identity=root.identity)
    again = replace(asked, repositories=Repositories(root="main", sources={"main": source}))
    first, second = plan_stack(asked).plan, plan_stack(again).plan
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
