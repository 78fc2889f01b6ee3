"""A repository of the forge and the platform beside it: people act, the forge tells, the platform works."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from stagewright.contexts.intake.model import NewDelivery
from stagewright.contexts.intake.reconcile import deliveries, scan
from stagewright.contexts.intake.reconcile.outside import Outside
from stagewright.contexts.intake.usecases import keep_deliveries
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import effects, moves, publishing
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Database
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge
from tests.fakes.forge_people import FakePull, FakeRepository, FakeThread
from tests.fakes.stacks import FakeStacks
from tests.history.telling import Webhook, payload_of

POLICY = workflow.builtin_policy()
ENGINES = frozenset({"codex", "claude"})
MOST_PASSES = 40
RUNS = "select lane, subject, kind, occurred_at, status from runs where repository_id = %(r)s"
RESERVED = """
select kind, target, payload from effects where repository_id = %(r)s and status = 'reserved'
  and kind in ('label.add', 'label.remove') order by no
"""
PERFORMED = """
update effects set status = 'done', finished_at = %(now)s where repository_id = %(r)s and status = 'reserved'
"""
FINISHING = "update runs set status = 'finishing', finish_step = 'after', branch = %(branch)s where id = %(id)s"
OPENED = """
update effects set status = 'done', finished_at = %(now)s, result = %(result)s where run_id = %(id)s
  and kind in ('pull_request.open', 'pull_request.update')
"""
FORGET = (
    "update repositories set state = 'disabled' where id = %(r)s",
    "delete from trigger_ledger where repository_id = %(r)s and reason = 'deferred_active_run'",
    "delete from webhook_deliveries where repository_id = %(r)s",
)


@dataclass
class Place:
    """One repository. ``webhooks``: what the forge told since they were last taken."""

    db: Database
    clock: FakeClock
    forge: FakeForge
    repository: projects.Repository
    outside: Outside
    webhooks: list[Webhook] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)

    @classmethod
    async def make(
        cls, db: Database, clock: FakeClock, forge: FakeForge, project: projects.Project, name: str
    ) -> "Place":
        """Bind a new repository with the owner ``ann``, the stranger ``eve`` and two Issues."""
        info = forge.add_repository(name)
        async with db.transaction() as tx:
            repository = await factories.a_repository(tx, project, info, now=clock.now())
        for login in ("ann", "eve"):
            forge.set_role(info.id, login, "write")
        made = cls(db, clock, forge, repository, hands(db, clock, forge))
        for _ in range(2):
            made.forge.open_issue(info.id)
        return made

    @property
    def seen(self) -> FakeRepository:
        """Return the forge's repository."""
        return self.forge.repositories[self.repository.forge_repository_id]

    def thread(self, number: int) -> FakeThread:
        """Return a thread as it is now."""
        return self.seen.threads[number]

    # What people and the forge do

    def tell(self, number: int, action: str, by: str, *, event: str = "", **said: Any) -> None:
        """Let the forge tell of what was done with a thread just now."""
        thread = self.thread(number)
        kind = event or ("issues" if thread.pull is None else "pull_request")
        payload = payload_of(self.seen, thread, action, self.forge.accounts[by], **said)
        self.webhooks.append(Webhook(next(self.numbers), kind, json.dumps(payload).encode()))

    def take(self) -> list[Webhook]:
        """Return what the forge told, each once."""
        taken, self.webhooks = self.webhooks, []
        return taken

    # The platform at work

    async def keep(self, webhook: Webhook, again: int = 0) -> None:
        """Keep a webhook as the gateway does."""
        new = NewDelivery(webhook.delivery_id(again), self.repository.id, "token", webhook.event, webhook.payload)
        async with self.db.transaction() as tx:
            await keep_deliveries(tx, [new], now=self.clock.now())

    async def decide(self, outside: Outside | None = None) -> None:
        """Decide what is due until nothing is."""
        for _ in range(MOST_PASSES):
            if not await deliveries.decide_deliveries(outside or self.outside):
                return
        raise AssertionError("deliveries are decided without end")

    async def scan(self, outside: Outside | None = None) -> None:
        """Scan now."""
        await scan.scan_repositories(outside or self.outside, every=timedelta(0))

    async def decide_deferred(self, outside: Outside | None = None) -> None:
        """Decide again about what was put off."""
        await scan.decide_deferred(outside or self.outside)

    async def perform(self) -> None:
        """Let the bot do the label acts that are reserved; the forge tells of them."""
        async with self.db.transaction() as tx:
            reserved = await tx.all(dict, RESERVED, r=self.repository.id)
            await tx.execute(PERFORMED, r=self.repository.id, now=self.clock.now())
        for effect in reserved:
            number, label = int(effect["target"].partition(":")[2]), str(effect["payload"]["label"])
            await self._label(number, label, put_on=effect["kind"] == "label.add")

    async def _label(self, number: int, label: str, *, put_on: bool) -> None:
        before = len(self.thread(number).acts)
        act = self.forge.add_label if put_on else self.forge.remove_label
        await act(self.repository, number, label)
        if len(self.thread(number).acts) > before:
            bot = self.forge.bot_account.login
            self.tell(number, "labeled" if put_on else "unlabeled", bot, label=label)

    def mortal(self, database: Any) -> Outside:
        """Return hands on a database that dies."""
        return replace(self.outside, db=database)

    # The agents

    async def active(self) -> list[runs.Run]:
        """Return the runs that are not over, in an order that does not depend on when they were found."""
        async with self.db.reading() as reader:
            return await runs.list_active(reader, self.repository.id)

    async def agents_work(self, fate: Callable[[runs.Run], Random]) -> None:
        """Let some of the active runs end, each by its own ``fate``."""
        for run in sorted(await self.active(), key=lambda one: (one.subject, one.lane)):
            match fate(run).choice(("publish", "publish", "publish", "fail", "go on", "go on")):
                case "publish" if run.lane != "talk":
                    await self._publish(run)
                case "fail":
                    async with self.db.transaction() as tx:
                        current = await run_rows.lock(tx, run.id)
                        await moves.fail(tx, current, "engine_error", now=self.clock.now())

    async def _publish(self, run: runs.Run) -> None:
        """End a run well: with its pull request opened or updated where its kind has one."""
        if run.kind == "rethink" or run.stage is None:
            await self._succeed(run, None)
            return
        known = self.seen.threads.get(run.pr_number or 0)
        if known is not None and known.pull is not None:
            known.pull.head_sha = f"{run.occurred_at:%d%H%M%S}".rjust(40, "a")
            known.updated_at = self.clock.now()
            action = "synchronize"
        else:
            known = self._open_pull_request(run)
            action = "opened"
        await self._succeed(run, known)
        self.tell(known.number, action, self.forge.bot_account.login)

    def _open_pull_request(self, run: runs.Run) -> FakeThread:
        number, sha = next(self.seen.numbers), f"{run.occurred_at:%d%H%M%S}".rjust(40, "b")
        made = FakeThread(number, f"{run.stage}", "", self.forge.bot_account, self.clock.now())
        made.pull = FakePull(f"stagewright/issue-{run.issue_number}/{run.stage}-{number}", "main", sha)
        self.seen.threads[number] = made
        return made

    async def _succeed(self, run: runs.Run, thread: FakeThread | None) -> None:
        now = self.clock.now()
        pull = thread.pull if thread is not None else None
        async with self.db.transaction() as tx:
            await tx.execute(FINISHING, id=run.id, branch=pull.head if pull else None)
            if thread is not None and pull is not None:
                kind = "pull_request.update" if run.pr_number else "pull_request.open"
                target, repository = f"branch:{pull.head}", run.repository_id
                await effects.reserve(
                    tx,
                    kind,
                    dedupe_key=str(run.id),
                    repository_id=repository,
                    target=target,
                    payload={},
                    now=now,
                    run_id=run.id,
                )
                result = json.dumps({"number": thread.number, "url": f"http://forge.test/{thread.number}"})
                await tx.execute(OPENED, id=run.id, now=now, result=result)
            sha, head = (pull.head_sha, pull.head) if pull else (None, None)
            await publishing.succeed(tx, run.id, now=now, base_branch="main", branch=head, head_sha=sha)

    # What is compared

    async def outcome(self) -> tuple[list[str], dict[int, list[str]]]:
        """Return the runs (lane, subject, kind, occurrence, state) and the labels of every thread."""
        async with self.db.reading() as reader:
            rows = await reader.all(dict, RUNS, r=self.repository.id)
        return (
            sorted(" ".join(str(value) for value in row.values()) for row in rows),
            {number: sorted(thread.labels) for number, thread in self.seen.threads.items()},
        )

    async def forget(self) -> None:
        """Leave nothing that later passes would look at."""
        async with self.db.transaction() as tx:
            for statement in FORGET:
                await tx.execute(statement, r=self.repository.id)


def hands(db: Database, clock: FakeClock, forge: FakeForge) -> Outside:
    """Return intake's hands with the built-in policy, whose engines all have their credential."""

    async def policy(repository: projects.Repository) -> workflow.Policy:
        return POLICY

    async def engines(project_id: UUID, repository_id: UUID) -> frozenset[str]:
        return ENGINES

    return Outside(
        db=db, clock=clock, threads=forge, refresh_policy=policy, engines_available=engines, stacks=FakeStacks()
    )
