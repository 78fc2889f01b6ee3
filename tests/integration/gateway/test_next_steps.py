"""Next steps by the API: preview and execution over a live thread, the person as the actor (workflow, section 11.3)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person, open_gateway
from tests.world import World

from stagewright.kit.db import Database


@dataclass
class Scene:
    """A platform with its worker, and the gateway in front of it."""

    world: World
    gateway: Gateway
    me: Person

    def form(self, issue: int, target: str, variant: str = "", **changes: Any) -> dict[str, Any]:
        """Return the parameters of a link."""
        return {
            "repository_full_name": self.world.repository.full_name,
            "issue_number": issue,
            "action_kind": "issue_stage_transition",
            "target_label": target,
            "display_variant": variant,
            **changes,
        }

    async def preview(self, issue: int, target: str, variant: str = "", **changes: Any) -> dict[str, Any]:
        """Return what a step would do."""
        answer = await self.gateway.post("/next-steps/preview", self.me, self.form(issue, target, variant, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def execute(
        self, issue: int, target: str, variant: str = "", *, key: str | None = None, **changes: Any
    ) -> Any:
        """Take a step as its preview shows it; return the answer."""
        shown = await self.preview(issue, target, variant, **changes)
        return await self.take(shown, issue, target, variant, key=key, **changes)

    async def take(
        self,
        shown: dict[str, Any],
        issue: int,
        target: str,
        variant: str = "",
        *,
        key: str | None = None,
        **changes: Any,
    ) -> Any:
        """Take a step that was shown before; return the answer."""
        body = {**self.form(issue, target, variant, **changes), "expected_labels_hash": shown["expected_labels_hash"]}
        headers = {"Idempotency-Key": key or str(uuid4())}
        return await self.gateway.post("/next-steps/execute", self.me, body, headers=headers)

    async def done(self, label: str, files: dict[str, str] | None = None, **report: Any) -> int:
        """Return an Issue on which a stage succeeded with a pull request."""
        run = await self.world.deliver_result(
            await self.world.started(label), files or {"docs/a.md": "# A\n"}, **report
        )
        assert run.status == "succeeded"
        assert run.issue_number is not None
        await self.world.work()
        return run.issue_number

    async def profile(self, issue: int) -> tuple[str, str]:
        """Return the Issue's profile and its source."""
        async with self.world.db.reading() as reader:
            row = await reader.find(
                lambda row: (str(row["profile"]), str(row["source"])),
                "select profile, source from issue_workflows where issue_number = %(n)s",
                n=issue,
            )
        assert row is not None
        return row


@pytest.fixture
async def scene(db: Database, dsn: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Scene]:
    """Return a platform, its gateway over the same forge, and a person who may start runs."""
    world = await World.make(db, clock, tmp_path / "world")
    async with open_gateway(dsn, clock, tmp_path / "gateway", forge=world.forge) as gateway:
        me = await gateway.person("mia", member_of=world.project, member_as="read_write")
        yield Scene(world, gateway, me)


async def test_a_step_forward_accepts_the_result_and_starts_the_run_as_the_person(scene: Scene) -> None:
    world = scene.world
    issue = await scene.done("run:vision")
    (pull,) = world.pull_requests()
    assert "state:in-review" in world.labels(issue) & world.labels(pull.number)

    shown = await scene.preview(issue, "run:prd", "full_or_shortened_flow")
    answer = await scene.take(shown, issue, "run:prd", "full_or_shortened_flow", key="forward-1")

    assert (shown["verdict"], shown["reason"]) == ("start", None)
    assert set(shown["removed_labels"]) == {"state:in-review"}
    assert set(shown["added_labels"]) == {"run:prd", "state:approved"}
    assert shown["accepts_pull_request"] == pull.number
    assert shown["run"] | {"env": ""} == {
        "kind": "prd",
        "stage": "prd",
        "role": "pm",
        "mode": "code-only",
        "env": "",
        "skipped_stages": ["intake"],
    }
    assert answer.status_code == 202
    taken = answer.json()
    assert {key: taken[key] for key in shown} == shown

    run = await world.run_of(issue)
    assert str(run.id) == taken["run_id"]
    assert (run.kind, run.requested_by_kind, run.requested_by) == ("prd", "user", str(scene.me.user.id))
    assert (run.trigger_source, run.correlation_id) == ("console", "console:forward-1")
    await world.work()
    assert world.labels(issue) >= {"run:prd", "state:approved"}
    assert "state:in-review" not in world.labels(issue) | world.labels(pull.number)
    assert "state:approved" in world.labels(pull.number)
    assert [attempt.generation for attempt in await world.attempts_of(run)] == [1]
