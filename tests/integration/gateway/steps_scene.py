"""A platform with its worker and the gateway in front of it, and a person who takes next steps there."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from tests import factories
from tests.fakes.gateway import Gateway, Person
from tests.world import World

from stagewright.contexts.identity.store.users import pin_github
from stagewright.contexts.runs import api as runs

PROFILE = "select profile, source from issue_workflows where repository_id = %(r)s and issue_number = %(n)s"
KEEP = """
insert into issue_workflows (repository_id, issue_number, profile, source, updated_by, updated_at)
values (%(r)s, %(n)s, %(profile)s, %(source)s, 'test', now())
on conflict (repository_id, issue_number) do update set profile = excluded.profile, source = excluded.source
"""
LEDGER = "select label, source, decision, run_id::text from trigger_ledger where thread = %(n)s order by occurred_at"
TOLD = "select actor_kind, actor, run_id::text, body from journal where kind = %(kind)s order by seq"


@dataclass
class Scene:
    """What a test of next steps needs."""

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
        } | changes

    async def ask(self, form: dict[str, Any], who: Person | None = None) -> httpx.Response:
        """Ask for a preview."""
        return await self.gateway.post("/next-steps/preview", who or self.me, form)

    async def preview(self, issue: int, target: str, variant: str = "", **changes: Any) -> dict[str, Any]:
        """Return what a step would do."""
        answer = await self.ask(self.form(issue, target, variant, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def take(
        self, shown: dict[str, Any], form: dict[str, Any], *, key: str | None = None, who: Person | None = None
    ) -> httpx.Response:
        """Take a step that was shown before."""
        body = form | {"expected_labels_hash": shown["expected_labels_hash"]}
        headers = {"Idempotency-Key": key or str(uuid4())}
        return await self.gateway.post("/next-steps/execute", who or self.me, body, headers=headers)

    async def execute(self, issue: int, target: str, variant: str = "", **changes: Any) -> httpx.Response:
        """Take a step as its preview shows it."""
        form = self.form(issue, target, variant, **changes)
        return await self.take((await self.ask(form)).json(), form)

    async def done(self, label: str, *, report: dict[str, Any] | None = None) -> runs.Run:
        """Return a run of a fresh Issue that succeeded with a pull request."""
        run = await self.world.started(label)
        run = await self.world.deliver_result(run, {"docs/result.md": f"# {label}\n"}, report=report)
        assert run.status == "succeeded"
        return run

    async def rethought(self, issue: int) -> None:
        """Let a rethink of the Issue have succeeded."""
        request = factories.a_run_request(
            self.world.repository,
            now=self.world.clock.now(),
            issue_number=issue,
            kind="rethink",
            stage=None,
            trigger_label="run:rethink",
            correlation_id=f"rethink:{issue}",
        )
        async with self.world.db.transaction() as tx:
            run = await runs.request_run(tx, request, clock=self.world.clock)
            await tx.execute(
                "update runs set status = 'succeeded', finished_at = now() + interval '1 day' where id = %(id)s",
                id=run.id,
            )

    async def keep_profile(self, issue: int, profile: str, source: str) -> None:
        """Give the Issue a profile."""
        async with self.world.db.transaction() as tx:
            await tx.execute(KEEP, r=self.world.repository.id, n=issue, profile=profile, source=source)

    async def profile(self, issue: int) -> tuple[str, str] | None:
        """Return the Issue's profile and its source."""
        async with self.world.db.reading() as reader:
            return await reader.find(
                lambda row: (str(row["profile"]), str(row["source"])), PROFILE, r=self.world.repository.id, n=issue
            )

    async def ledger(self, thread: int) -> list[tuple[str, str, str, str | None]]:
        """Return label, source, decision and run of the thread's decided acts."""
        async with self.world.db.reading() as reader:
            return await reader.all(
                lambda row: (row["label"], row["source"], row["decision"], row["run_id"]), LEDGER, n=thread
            )

    async def told(self, kind: str) -> list[tuple[str, str, str | None, dict[str, Any]]]:
        """Return actor, run and body of the journal's events of a kind."""
        async with self.world.db.reading() as reader:
            return await reader.all(
                lambda row: (row["actor_kind"], row["actor"], row["run_id"], row["body"]), TOLD, kind=kind
            )

    async def link_account(self, person: Person, login: str) -> None:
        """Link a person to an account of the forge."""
        account = self.world.forge.add_account(login)
        async with self.world.db.transaction() as tx:
            await pin_github(tx, person.user.id, github_id=account.id, login=login)
