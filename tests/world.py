"""A whole platform in one process: real rows, real git, fakes at the ports, and an agent the test speaks for."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from stagewright.adapters.git import GitStore
from stagewright.contexts.intake.reconcile import deliveries, scan
from stagewright.contexts.intake.reconcile.outside import Outside as IntakeOutside
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.model import Attempt, Run
from stagewright.contexts.runs.reconcile import admission, checks, comments, effects, finish, launch, waits, watch
from stagewright.contexts.runs.reconcile import watchdog as watchdog_pass
from stagewright.contexts.runs.reconcile.outside import Addresses, Outside
from stagewright.contexts.runs.reconcile.situation import refresh_policy
from stagewright.contexts.runs.rpc import AttemptTokens
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import attempts, messages
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Database
from stagewright.kit.redact import Redactor
from stagewright.wire.v1 import assignment_pb2
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge
from tests.fakes.git_store import WorkTree, bare_remote, git, local_git_store
from tests.fakes.workloads import FakeWorkloads

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
POLICY = "defaults: {model: rehearsal}\nstages: {dev: {model: rehearsal}}\n"


@dataclass
class World:
    """Everything a test of runs touches."""

    db: Database
    clock: FakeClock
    forge: FakeForge
    git: GitStore
    workloads: FakeWorkloads
    outside: Outside
    intake: IntakeOutside
    project: projects.Project
    repository: projects.Repository
    remote: Path
    person: WorkTree
    folder: Path
    trees: dict[UUID, WorkTree] = field(default_factory=dict)

    @classmethod
    async def make(cls, db: Database, clock: FakeClock, folder: Path, *, worker: str = "w1") -> "World":
        """Make a project with one bound repository that has a commit, and its owner ``ann``."""
        forge, workloads = FakeForge(clock), FakeWorkloads()
        info = forge.add_repository()
        remote = bare_remote(folder / "remote.git")
        person = WorkTree(folder / "person")
        person.commit("first", README_dot_md="# Shop\n")
        person.write(".stagewright/policy.yaml", POLICY)
        person.commit("policy")
        person.push(remote, "main")
        now = clock.now()
        async with db.transaction() as tx:
            await factories.an_owner(tx, now=now)
            project = await factories.a_project(tx, now=now)
            found = projects.ForgeRepository(info.id, info.full_name, "main", info.web_url, str(remote), private=False)
            repository = await factories.a_repository(tx, project, found, now=now)
        forge.set_role(info.id, "ann", "write")
        git_store = local_git_store(folder / "data")
        outside = cls.hands(db, clock, forge, git_store, workloads, worker)
        intake = IntakeOutside(
            db=db,
            clock=clock,
            threads=forge,
            refresh_policy=_policy_reader(outside),
            engines_available=_no_engines,
        )
        return cls(db, clock, forge, git_store, workloads, outside, intake, project, repository, remote, person, folder)

    @staticmethod
    def hands(
        db: Database, clock: FakeClock, forge: FakeForge, git_store: GitStore, workloads: FakeWorkloads, worker: str
    ) -> Outside:
        """Return the hands of one worker."""
        redactor = Redactor()
        tokens = AttemptTokens(factories.KEYRING, issuer="stagewright/test")
        return Outside(
            db=db,
            clock=clock,
            forge=forge,
            git=git_store,
            workloads=workloads,
            addresses=Addresses("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", None),
            worker_id=worker,
            workload_kind="local",
            mint_tokens=tokens.mint,
            find_secrets=lambda data: [finding.kind for finding in redactor.find(data)],
            redact=redactor,
            sealer=factories.a_sealer("sessions"),
            engines_available=_no_engines,
        )

    async def work(self, *, turns: int = 12, outside: Outside | None = None) -> None:
        """Let the worker's passes run until nothing moves any more (bounded)."""
        hands = outside or self.outside
        for _ in range(turns):
            for duty in DUTIES:
                await duty(hands)
                self._show_branches()

    def _show_branches(self) -> None:
        """Let the fake forge see the branches of the real remote."""
        self.forge.repositories[self.repository.forge_repository_id].branches.update(self._heads())

    def _heads(self) -> dict[str, str]:
        known = git(self.remote, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
        return dict(line.split(" ") for line in known.splitlines())

    async def tick(self, seconds: float, *, turns: int = 4) -> None:
        """Let time pass, then work."""
        self.clock.advance(timedelta(seconds=seconds))
        await self.work(turns=turns)

    async def decide(self) -> None:
        """Decide kept deliveries."""
        await deliveries.decide_deliveries(self.intake)

    async def scan(self) -> None:
        """Scan the repositories now."""
        await scan.scan_repositories(self.intake, every=timedelta(0))

    async def watchdog(self) -> None:
        """Run the watchdog's passes."""
        await watchdog_pass.beat(self.outside)
        await watchdog_pass.watch_invariants(self.outside)

    def issue(self, **changes: Any) -> int:
        """Open an issue as ``ann``."""
        return self.forge.open_issue(self.repository.forge_repository_id, **changes)

    def labels(self, number: int) -> set[str]:
        """Return the labels on a thread."""
        return set(self.forge.repositories[self.repository.forge_repository_id].threads[number].labels)

    def comments(self, number: int) -> list[str]:
        """Return the comments of a thread."""
        thread = self.forge.repositories[self.repository.forge_repository_id].threads[number]
        return [comment.body for comment in thread.comments]

    async def trigger(self, issue: int, label: str = "run:dev", *, by: str = "ann") -> None:
        """Put a label on an issue as a person and let the scan find it."""
        self.clock.advance(timedelta(seconds=5))
        self.forge.person_labels(self.repository.forge_repository_id, issue, label, by=by)
        await self.scan()

    async def run_of(self, issue: int, lane: str = "work") -> Run:
        """Return the newest run of the issue."""
        async with self.db.reading() as reader:
            run_id = await reader.value(
                "select id from runs where issue_number = %(n)s and lane = %(lane)s order by number desc limit 1",
                n=issue,
                lane=lane,
            )
            return await run_rows.get(reader, run_id)

    async def attempt_of(self, run: Run) -> Attempt:
        """Return the newest attempt of the run."""
        async with self.db.reading() as reader:
            found = await attempt_rows.find_newest(reader, run.id)
        assert found is not None
        return found

    async def events(self, run: Run) -> list[str]:
        """Return the kinds journalled on the run's stream, in order."""
        async with self.db.reading() as reader:
            return await reader.all(
                lambda row: str(row["kind"]),
                "select kind from journal where stream = %(stream)s order by seq",
                stream=f"run:{run.id}",
            )

    async def register(self, run: Run) -> assignment_pb2.Assignment:
        """Speak as the runner: ask for the assignment."""
        attempt = await self.attempt_of(run)
        async with self.db.transaction() as tx:
            await attempts.register(tx, attempt, runner_version="test", now=self.clock.now())
            raw = await attempt_rows.get_assignment(tx, attempt.id)
        assert raw is not None
        return assignment_pb2.Assignment.FromString(raw)

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
                    (tree.path / name).unlink()
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
            )

    async def tree(self, run: Run) -> WorkTree:
        """Return the agent's work tree at the run's base."""
        if run.id not in self.trees:
            tree = WorkTree(self.folder / f"agent-{run.number}")
            tree.checkout(self.remote, str(run.base_sha))
            self.trees[run.id] = tree
        return self.trees[run.id]

    async def report(
        self, run: Run, outcome: str = "completed", *, code: str | None = None, leave: bool = True
    ) -> None:
        """Speak as the runner: report how the attempt ended, and exit."""
        attempt = await self.attempt_of(run)
        said = attempts.Outcome(outcome=outcome, code=code, detail=None, tokens_in=10, tokens_cached=0, tokens_out=5)
        async with self.db.transaction() as tx:
            await attempts.report_outcome(tx, attempt.id, said, now=self.clock.now())
        if leave:
            self.workloads.finish(attempt.workload_name, 0)

    async def started(self, **changes: Any) -> Run:
        """Return a run on a fresh issue whose runner has asked for its assignment."""
        issue = self.issue(**changes)
        await self.trigger(issue)
        await self.work()
        run = await self.run_of(issue)
        await self.register(run)
        return await self.run_of(issue)

    def branch(self, name: str) -> str | None:
        """Return the head of a remote branch."""
        return self._heads().get(name)


def _policy_reader(outside: Outside) -> Callable[[projects.Repository], Awaitable[workflow.Policy]]:
    async def read(repository: projects.Repository) -> workflow.Policy:
        heads = await outside.git.heads(repository)
        policy, _ = await refresh_policy(outside, repository, heads[repository.default_branch])
        return policy

    return read


async def _no_engines(project_id: UUID, repository_id: UUID) -> frozenset[str]:
    return frozenset()
