"""How a plan and a comparison of two are told to a person."""

from typing import Any

from stagewright.processes.cli.stacks.planning import changes, described

UNIT: dict[str, Any] = {
    "name": "api",
    "dependsOn": ["postgres"],
    "objects": ["group-backend/api/Deployment.apps.api"],
    "hooks": [{"name": "warm", "phase": "afterUnit", "run": "onChange"}],
}
ENTRY = {"config": "KEY", "key": "KEY_B", "scope": "project", "environment": "*", "rule": "patterns/0"}
PLAN: dict[str, Any] = {
    "hash": "sp1p:0123456789abcdef",
    "preview": True,
    "project": "shop",
    "environment": {"name": "preview", "kind": "candidate"},
    "candidate": "i12",
    "namespace": "shop-i12",
    "domain": "i12-shop.example.org",
    "images": [{"name": "api", "state": "build", "reference": "r/api:c-1"}],
    "secrets": [
        {"secret": "a", "key": "MADE", "source": {"generate": {"kind": "hex", "length": 8}}, "version": "g3"},
        {"secret": "a", "key": "TEXT", "source": {"compose": ["x://", {"key": "MADE"}]}, "version": None},
        {"secret": "a", "key": "SAME", "source": {"copy": {"environment": "b", "secret": "c", "key": "D"}}},
        {"secret": "a", "key": "OPEN", "source": {"from": {"config": "KEY"}}},
        {"secret": "a", "key": "KEPT", "source": {"from": ENTRY}, "version": "7"},
    ],
    "vars": {"logLevel": {"value": "debug", "origin": "environment:preview"}},
    "syncs": [{"unit": "api", "identity": "s-1"}],
    "phases": [{"id": "backend", "kind": "group", "units": [UNIT]}],
    "objects": [{"id": "group-backend/api/Deployment.apps.api", "kind": "Deployment", "name": "api"}],
}
DIFF: dict[str, Any] = {
    "before": "sp1p:1111111111111111",
    "after": "sp1p:2222222222222222",
    "objects": [
        {"kind": "Deployment", "name": "api", "unit": "api", "change": "changed", "fields": ["/spec/replicas"]},
        {"kind": "Service", "name": "new", "unit": "new", "change": "added", "fields": []},
        {"kind": "Service", "name": "same", "unit": "new", "change": "unchanged", "fields": []},
    ],
    "images": [{"name": "api", "change": "changed", "before": "a:1", "after": "a:2"}],
    "secrets": [{"name": "database/URL", "change": "added", "before": None, "after": "1"}],
    "hooks": [
        {"unit": "", "name": "smoke", "phase": "afterDeploy", "why": "always"},
        {"unit": "api", "name": "warm", "phase": "afterUnit", "why": "changed"},
    ],
    "prune": [
        {"kind": "Job", "name": "old", "kept": None},
        {"kind": "PersistentVolumeClaim", "name": "data", "kept": "volume"},
    ],
}


def test_a_plan_is_told_from_its_hash_to_its_last_hook() -> None:
    assert "\n".join(described(PLAN)) == (
        "sp1p:0123456789abcdef  (preview of a plan, not executable)\n"
        "shop → preview (candidate, candidate i12)\n"
        "namespace shop-i12, https://i12-shop.example.org\n"
        "\nimages\n   api  build      r/api:c-1\n"
        "\nsecrets\n   a/MADE  generated hex @ g3\n   a/TEXT  composed of MADE\n   a/SAME  copy of b/c/D\n"
        "   a/OPEN  entry KEY\n   a/KEPT  entry KEY_B (project, *; patterns/0) @ 7\n"
        "\nvariables\n   logLevel  'debug' (environment:preview)\n"
        "\nfiles to stream\n   api  s-1\n"
        "\n1. backend (group)\n   api  after postgres\n      Deployment/api\n      hook warm (afterUnit, onChange)"
    )


def test_what_a_plan_does_not_have_is_not_told() -> None:
    bare = {**PLAN, "domain": None, "candidate": None, "preview": False, "phases": []}
    bare |= {"images": [], "secrets": [], "vars": {}, "syncs": []}

    assert list(described(bare)) == [
        "sp1p:0123456789abcdef  (plan)",
        "shop → preview (candidate)",
        "namespace shop-i12",
    ]


def test_a_comparison_tells_what_changes_and_counts_the_rest() -> None:
    assert "\n".join(changes(DIFF)) == (
        "sp1p:11111111111111… → sp1p:22222222222222…\n"
        "\nobjects\n   ~ Deployment/api (api)  /spec/replicas\n   + Service/new (new)\n"
        "\nimages\n   ~ api  a:1 → a:2\n"
        "\nsecrets\n   + database/URL  1\n"
        "\nhooks that would run\n   smoke (afterDeploy): always\n   warm (api, afterUnit): changed\n"
        "\nobjects that would be deleted\n   Job/old\n   PersistentVolumeClaim/data  stays: volume\n"
        "\n1 objects stay as they are"
    )


def test_equal_plans_are_said_to_be_equal() -> None:
    assert list(changes({**DIFF, "after": DIFF["before"]})) == ["nothing changes: both plans are sp1p:11111111111111…"]
