"""Three stacks, all their environments: valid, planned as kept, and every object valid for Kubernetes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.stack_files import MemoryFiles
from tests.golden.plans import STACKS, Golden, cases, kept, outcome, place, repositories, request
from tests.unit.deploys import kubernetes

from stagewright.contexts.deploys.api import Plan, Repositories, check_stack, plan_stack

CASES = list(cases())
IDS = [f"{golden.name}-{environment}" for golden, environment in CASES]
EXPECTED = {"two": {"stack.repository_unavailable", "stack.depends_disabled"}}
"""Doubts that are meant: of an optional repository that is left out, and of a cache that only production has."""
each = pytest.mark.parametrize(("golden", "environment"), CASES, ids=IDS)


def planned(golden: Golden, environment: str) -> Plan:
    found = outcome(golden, environment)
    assert found.plan is not None, [f"{item.where}: {item.message}" for item in found.diagnostics]
    return found.plan


@each
def test_a_plan_is_the_one_that_is_kept(golden: Golden, environment: str) -> None:
    before, now = json.loads(place(golden, environment).read_text()), json.loads(kept(planned(golden, environment)))

    assert now == before, "if this is meant: `python -m tests.golden`, and read the difference"


@each
def test_every_object_and_hook_is_valid_for_kubernetes(golden: Golden, environment: str) -> None:
    plan = planned(golden, environment)
    bodies = [item.body for item in plan.objects]
    bodies += [hook.body for phase in plan.phases for unit in phase.units for hook in unit.hooks]

    assert bodies
    assert {f"{body['kind']} {body['metadata']['name']}": kubernetes.mistakes(body) for body in bodies} == {
        f"{body['kind']} {body['metadata']['name']}": [] for body in bodies
    }


@pytest.mark.parametrize("golden", STACKS.values(), ids=STACKS)
def test_a_stack_has_no_mistakes_and_no_doubts_where_everything_is_known(golden: Golden) -> None:
    asked = request(golden, golden.candidate, selection=None)
    said = {item.code for item in check_stack(asked, golden.environments).diagnostics}

    assert said == EXPECTED.get(golden.name, set())


@pytest.mark.parametrize("golden", STACKS.values(), ids=STACKS)
def test_without_a_server_the_plans_are_previews(golden: Golden) -> None:
    for environment in golden.environments:
        found = plan_stack(request(golden, environment, known=False))
        assert not found.failed, [f"{item.where}: {item.message}" for item in found.diagnostics if item.is_error]
        assert found.plan is not None
        assert found.plan.preview
        assert found.plan.hash.startswith("sp1p:")
        assert found.skipped


@each
def test_a_second_plan_is_equal_to_the_byte(golden: Golden, environment: str) -> None:
    assert kept(planned(golden, environment)) == kept(planned(golden, environment))


def changed(golden: Golden, path: str, before: str, after: str) -> Repositories:
    """Return the repositories of a stack with one text replaced in one file of the root."""
    opened = repositories(golden)
    root: Any = opened.sources[opened.root]
    text = root.files[path].decode()
    assert before in text
    files = MemoryFiles({**root.files, path: text.replace(before, after)}, identity=root.identity)
    return replace(opened, sources={**opened.sources, opened.root: files})


@pytest.mark.parametrize(
    ("path", "before", "after", "same"),
    [
        ("services.yaml", "  # Names for people.", "  # Other words.", True),
        ("services.yaml", "deployOnPush: approval\n      onFailure: rollback", "onFailure: rollback", True),
        ("services.yaml", "x-owners: [team-shop]", "x-owners: [team-books]", True),
        ("deploy/k8s/worker.yaml", "cpu: 50m", "cpu: '0.05'", True),
        ("deploy/k8s/worker.yaml", "cpu: 50m", "cpu: 60m", False),
        ("deploy/k8s/worker.yaml", "replicas: 1", "replicas: 2", False),
        ("deploy/units/frontend.yaml", "dependsOn: [api]", "dependsOn: [api, worker]", False),
        ("services/api/shop/api.py", "The API", "An API", False),
        ("services/api/migrations/0001_articles.sql", "text not null", "text", False),
    ],
)
def test_the_hash_changes_if_and_only_if_the_effect_does(path: str, before: str, after: str, same: bool) -> None:
    shop = STACKS["shop"]
    edited = plan_stack(request(shop, "live", repositories=changed(shop, path, before, after))).plan

    assert edited is not None
    assert (edited.hash == planned(shop, "live").hash) is same


def test_the_singleton_stands_in_production_alone() -> None:
    shop = STACKS["shop"]
    stands = {
        environment: any(item.unit == "sign-in" for item in planned(shop, environment).objects)
        for environment in shop.environments
    }

    assert stands == {"live": True, "rehearsal": False, "preview": False}


def test_what_a_candidate_may_not_hold_is_not_in_its_plan() -> None:
    plan = planned(STACKS["shop"], "preview")

    assert {item.kind for item in plan.objects} <= {
        *("Service", "Deployment", "StatefulSet", "Job", "ConfigMap", "PodDisruptionBudget", "Ingress"),
    }
    assert all(item.body["spec"]["replicas"] <= 2 for item in plan.objects if item.kind == "Deployment")
    assert any(item.unit == "seed" for item in plan.objects)
