"""A whole platform in one process: real rows, real git, fakes at the ports, and an agent the test speaks for."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from stagewright.adapters.git import GitStore
from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.approvals.model import Decision
from stagewright.contexts.approvals.usecases.deciding import decide as decide_request
from stagewright.contexts.identity import api as identity
from stagewright.contexts.intake.model import NewDelivery
from stagewright.contexts.intake.reconcile import deliveries, scan
from stagewright.contexts.intake.reconcile.outside import Outside as IntakeOutside
from stagewright.contexts.intake.usecases import keep_deliveries
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.reconcile import admission, checks, comments, effects, finish, launch, waits, watch
from stagewright.contexts.runs.reconcile import watchdog as watchdog_pass
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.usecases import attempts, messages
from stagewright.contexts.runs.usecases.cancel import cancel_run
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Database
from stagewright.kit.redact import Redactor
from stagewright.wire.v1 import assignment_pb2
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge
from tests.fakes.forge_people import FakeThread
from tests.fakes.git_store import WorkTree, git, local_git_store
from tests.fakes.workloads import FakeWorkloads
from tests.world_parts import check_frames, hands, intake_hands, plant
from tests.world_rows import WorldRows

Duty = Callable[[Outside], Awaitable[int]]
DUTIES: tuple[Duty, ...] = (
    admission.admit_queued,
    launch.launch_preparing,
    watch.watch_attempts,
    checks.check_proposals,
    finish.finish_accepted,
    effects.perform_reserved,
    effects.resolve_unknown,
    waits.settle_waits,
    comments.publish_status,
)
POLICY = """\
defaults: {model: rehearsal}
stages:
  dev: {model: rehearsal}
  vision: {model: rehearsal}
  design: {model: rehearsal}
"""
STEP = timedelta(seconds=1.1)  # one turn of the worker; content writes are at least a second apart
QUIET = 2
PROGRESS = """
select (select count(*) from journal) as events,
    (select md5(string_agg(id::text || status, ',' order by no)) from effects) as effects,
    (select md5(string_agg(concat_ws(',', id, status, stop_requested_at, absent_since, exited_at), ';' order by id))
        from attempts) as attempts
"""


@dataclass
class World(WorldRows):
    """Everything a test of runs touches."""

    db: Database
    clock: FakeClock
    forge: FakeForge
    git: GitStore
    workloads: FakeWorkloads
    redactor: Redactor
    outside: Outside
    intake: IntakeOutside
    project: projects.Project
    repository: projects.Repository
    remote: Path
    person: WorkTree
    folder: Path
    trees: dict[tuple[UUID, int], WorkTree] = field(default_factory=dict)

    @classmethod
    async def make(
        cls,
        db: Database,
        clock: FakeClock,
        folder: Path,
        *,
        worker: str = "w1",
        policy: str = POLICY,
        **project_changes: Any,
    ) -> "World":
        """Make a project with one bound repository that has a commit, and its owner ``ann``."""
        forge, workloads, redactor = FakeForge(clock), FakeWorkloads(), Redactor()
        info = forge.add_repository()
        remote, person = plant(policy, folder)
        now = clock.now()
        async with db.transaction() as tx:
            await factories.an_owner(tx, now=now)
            project = await factories.a_project(tx, now=now, **project_changes)
            found = projects.ForgeRepository(info.id, info.full_name, "main", info.web_url, str(remote), private=False)
            repository = await factories.a_repository(tx, project, found, now=now)
        forge.set_role(info.id, "ann", "write")
        git_store = local_git_store(folder / "data")
        outside = hands(db, clock, forge, git_store, workloads, redactor, worker)
        made = cls(
            db=db,
            clock=clock,
            forge=forge,
            git=git_store,
            workloads=workloads,
            redactor=redactor,
            outside=outside,
            intake=intake_hands(outside, forge),
            project=project,
            repository=repository,
            remote=remote,
            person=person,
            folder=folder,
        )
        made.show_branches()
        return made

    # The platform at work

    def worker(self, name: str) -> Outside:
        """Return the hands of another worker of the same platform."""
        return hands(self.db, self.clock, self.forge, self.git, self.workloads, self.redactor, name)

    async def work(self, *, turns: int = 25, outside: Outside | None = None) -> None:
        """Let the worker's passes run until nothing moves any more (bounded), a second apart."""
        still, seen = 0, await self._progress()
        for _ in range(turns):
            await self.turn(outside)
            now = await self._progress()
            still, seen = (still + 1 if now == seen else 0), now
            if still >= QUIET:
                break
            self.clock.advance(STEP)
        await self.check_frames()

    async def turn(self, outside: Outside | None = None) -> None:
        """Run every pass of the worker once."""
        for duty in DUTIES:
            await duty(outside or self.outside)
            if duty is effects.perform_reserved:
                self.show_branches()

    async def _progress(self) -> object:
        async with self.db.reading() as reader:
            return await reader.find(lambda row: dict(row), PROGRESS)

    async def check_frames(self) -> None:
        """Hold the last event of every run and attempt against a fresh read: a screen may trust the feed."""
        async with self.db.reading() as reader:
            await check_frames(reader)

    def show_branches(self) -> None:
        """Let the fake forge see the branches of the real remote."""
        thread_heads = self._heads()
        known = self.forge.repositories[self.repository.forge_repository_id]
        known.branches.clear()
        known.branches.update(thread_heads)
        for thread in known.threads.values():
            if thread.pull is not None and thread.pull.head in thread_heads:
                thread.pull.head_sha = thread_heads[thread.pull.head]

    def _heads(self) -> dict[str, str]:
        known = git(self.remote, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
        return dict(line.split(" ") for line in known.splitlines())

    async def tick(self, seconds: float, *, turns: int = 25) -> None:
        """Let time pass, then work."""
        self.clock.advance(timedelta(seconds=seconds))
        await self.work(turns=turns)

    async def watchdog(self) -> None:
        """Run the watchdog's passes."""
        await watchdog_pass.beat(self.outside)
        await watchdog_pass.watch_invariants(self.outside)

    # What people and the forge do

    async def cancel(self, run: Run, *, cause: str = "person") -> tuple[Run, bool]:
        """Cancel a run as a person does."""
        async with self.db.transaction() as tx:
            return await cancel_run(tx, run.id, cause=cause, clock=self.clock)

    def push_as_person(self, name: str, text: str, *, branch: str) -> str:
        """Let a person push a commit that changes a file of a branch; return the commit."""
        self.person.checkout(self.remote, f"refs/remotes/forge/{branch}")
        self.person.write(name, text)
        made = self.person.commit(f"person changes {name}")
        self.person.push(self.remote, branch)
        return made

    async def scan(self) -> None:
        """Scan the repositories now."""
        await scan.scan_repositories(self.intake, every=timedelta(0))

    async def decide_deferred(self) -> None:
        """Decide again about what was put off."""
        await scan.decide_deferred(self.intake)

    async def decide(self) -> None:
        """Decide kept deliveries."""
        await deliveries.decide_deliveries(self.intake)

    async def deliver(self, event: str, payload: Mapping[str, Any] | bytes, *, delivery_id: str = "d-1") -> bool:
        """Keep a webhook as the gateway does after its checks; say whether it was new."""
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        new = NewDelivery(delivery_id, self.repository.id, "token", event, raw)
        async with self.db.transaction() as tx:
            kept = await keep_deliveries(tx, [new], now=self.clock.now())
        return bool(kept)

    def labeled(self, issue: int, label: str, *, by: str = "ann", action: str = "labeled") -> dict[str, Any]:
        """Return the payload of a label act on a thread as it is now."""
        thread, sender = self.thread(issue), self.forge.accounts[by]
        return {
            "action": action,
            "repository": {
                "id": self.repository.forge_repository_id,
                "full_name": self.repository.full_name,
                "default_branch": "main",
            },
            "sender": {"login": sender.login, "id": sender.id, "type": sender.type},
            "issue": {
                "number": issue,
                "state": "open" if thread.open else "closed",
                "labels": [{"name": name} for name in thread.labels],
                "updated_at": thread.updated_at.isoformat(),
            },
            "label": {"name": label},
        }

    async def say(self, issue: int, body: str, *, by: str = "ann", told: bool = True) -> int:
        """Write a comment on a thread as a person; deliver its webhook, or let the scan find it. Return its id."""
        said = self.forge.person_comments(self.repository.forge_repository_id, issue, body, by=by)
        if told:
            payload = self.labeled(issue, "-", by=by, action="created")
            del payload["label"]
            payload["comment"] = {"id": said.id, "body": body, "created_at": said.created_at.isoformat()}
            await self.deliver("issue_comment", payload, delivery_id=f"comment-{said.id}")
            await self.decide()
        return said.id

    async def trigger(self, issue: int, label: str = "run:dev", *, by: str = "ann") -> None:
        """Put a label on an issue as a person and let the scan find it."""
        self.put_label(issue, label, by=by)
        await self.scan()

    def put_label(self, issue: int, label: str, *, by: str = "ann") -> None:
        """Put a label on an issue as a person, five seconds later."""
        self.clock.advance(timedelta(seconds=5))
        self.forge.person_labels(self.repository.forge_repository_id, issue, label, by=by)

    def issue(self, **changes: Any) -> int:
        """Open an issue as ``ann``."""
        return self.forge.open_issue(self.repository.forge_repository_id, **changes)

    def pull(self, *, head: str, by: str = "ann") -> int:
        """Open a pull request as a person, from a branch ``head`` with a commit of that person."""
        self.person.write(f"{head}.py", "print('by hand')\n")
        self.person.commit(f"Work on {head}")
        self.person.push(self.remote, head)
        self.show_branches()
        return self.forge.person_opens(self.repository.forge_repository_id, head=head, by=by)

    def thread(self, number: int) -> FakeThread:
        """Return a thread of the forge."""
        return self.forge.repositories[self.repository.forge_repository_id].threads[number]

    def labels(self, number: int) -> set[str]:
        """Return the labels on a thread."""
        return set(self.thread(number).labels)

    def comments(self, number: int, mark: str = "") -> list[str]:
        """Return the comments of a thread that hold ``mark``."""
        return [comment.body for comment in self.thread(number).comments if mark in comment.body]

    def status_comments(self, number: int) -> list[str]:
        """Return the status comments of a thread."""
        return self.comments(number, "stagewright:run-status")

    def diagnostics(self, number: int) -> list[str]:
        """Return the diagnostic comments of a thread."""
        return self.comments(number, "stagewright:diagnostic")

    def pull_requests(self) -> list[FakeThread]:
        """Return all pull requests."""
        threads = self.forge.repositories[self.repository.forge_repository_id].threads
        return [thread for thread in threads.values() if thread.pull is not None]

    def calls(self, act: str) -> int:
        """Return how often an act reached the forge."""
        return sum(1 for name, _ in self.forge.calls if name == act)

    def branch(self, name: str) -> str | None:
        """Return the head of a remote branch."""
        return self._heads().get(name)

    def tree_of(self, sha: str) -> str:
        """Return the tree of a commit of the remote."""
        return git(self.remote, "rev-parse", f"{sha}^{{tree}}")

    async def put_policy(self, text: str) -> None:
        """Put a project's policy in force, as a launch that reads it would."""
        async with self.db.transaction() as tx:
            await workflow.keep_policy(tx, self.repository, text=text, commit_sha=text[-40:], now=self.clock.now())

    def has_object(self, sha: str) -> bool:
        """Say whether the remote has an object."""
        known = git(self.remote, "cat-file", "--batch-check", stdin=f"{sha}\n".encode())
        return not known.endswith("missing")

    async def asked(self, run: Run, action: str) -> approvals.Request:
        """Return the run's newest request of an action."""
        async with self.db.reading() as reader:
            found = await approvals.find_newest(reader, run.id, action)
        assert found is not None, f"nobody was asked for {action}"
        return found

    async def answer(self, request: approvals.Request, *, approve: bool, by: UUID | None = None, **said: Any) -> None:
        """Decide a request as ``by``, by default the only owner, who knows that it may be their own."""
        decision = Decision(approve=approve, action_hash=request.action_hash, acknowledge_sole=True, **said)
        async with self.db.transaction() as tx:
            if by is None:
                owner = await identity.find_owner(tx)
                assert owner is not None
                by = owner.id
            await decide_request(
                tx, request.id, decision, by=by, signer=self.outside.signer, sole_may=True, now=self.clock.now()
            )

    # The agent, for which the test speaks

    async def register(self, run: Run) -> assignment_pb2.Assignment:
        """Speak as the runner: ask for the assignment."""
        attempt = await self.attempt_of(run)
        async with self.db.transaction() as tx:
            await attempts.register(tx, attempt, runner_version="test", now=self.clock.now())
            raw = await attempt_rows.get_assignment(tx, attempt.id)
        assert raw is not None
        return assignment_pb2.Assignment.FromString(raw)

    async def beat(self, run: Run, *, engine: bool = True) -> None:
        """Speak as the runner: a sign of life, and of its engine."""
        attempt = await self.attempt_of(run)
        async with self.db.transaction() as tx:
            await attempt_rows.touch(tx, attempt.id, now=self.clock.now(), event=engine)

    async def hand_over(
        self,
        run: Run,
        files: Mapping[str, str | bytes | None] | None = None,
        *,
        number: int = 1,
        report: dict[str, Any] | None = None,
        bundle: bytes | None = None,
    ) -> None:
        """Speak as the runner: hand over a change (``None`` deletes a file) and a report."""
        attempt = await self.attempt_of(run)
        if bundle is None and files:
            tree = await self.tree(run)
            for name, text in files.items():
                if text is None:
                    (tree.path / name).unlink(missing_ok=True)
                else:
                    tree.write(name, text)
            tree.commit("work")
            bundle = tree.bundle(str(run.base_sha))
        async with self.db.transaction() as tx:
            await messages.keep_proposal(
                tx,
                attempt.id,
                proposal_no=number,
                report=report or factories.a_report(),
                bundle=bundle,
                bundle_sha256=None,
                now=self.clock.now(),
                redact=self.redactor,
            )

    async def tree(self, run: Run) -> WorkTree:
        """Return the work tree of the run's newest attempt, at the run's base when it is new."""
        key = (run.id, run.generation)
        if key not in self.trees:
            tree = WorkTree(self.folder / f"agent-{run.number}-{run.generation}")
            tree.checkout(self.remote, str(run.base_sha))
            self.trees[key] = tree
        return self.trees[key]

    async def report(self, run: Run, outcome: str = "completed", *, leave: bool = True, **changes: Any) -> None:
        """Speak as the runner: report how the attempt ended, and exit."""
        attempt = await self.attempt_of(run)
        said = replace(attempts.Outcome(outcome, None, None, tokens_in=10, tokens_cached=0, tokens_out=5), **changes)
        async with self.db.transaction() as tx:
            await attempts.report_outcome(tx, attempt.id, said, now=self.clock.now())
        if leave:
            self.workloads.finish(attempt.workload_name, 0)

    # Whole ways

    async def launched(self, label: str = "run:dev", **changes: Any) -> Run:
        """Return a run on a fresh issue whose workload was created."""
        issue = self.issue(**changes)
        await self.trigger(issue, label)
        await self.work()
        return await self.run_of(issue)

    async def started(self, label: str = "run:dev", **changes: Any) -> Run:
        """Return a run on a fresh issue whose runner has asked for its assignment."""
        run = await self.launched(label, **changes)
        await self.register(run)
        return await self.fresh(run)

    async def deliver_result(
        self, run: Run, files: Mapping[str, str | bytes | None] | None = None, *, report: dict[str, Any] | None = None
    ) -> Run:
        """Hand over ``files``, end the attempt well and let the platform publish."""
        await self.hand_over(run, files or {"hello.py": "print('hello')\n"}, report=report)
        await self.turn()
        await self.report(run)
        await self.work()
        return await self.fresh(run)
