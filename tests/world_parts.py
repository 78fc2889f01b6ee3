"""What a platform in one process is made of: its remote, the hands of its worker and of intake, what always holds."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from uuid import UUID

from stagewright.adapters.git import GitStore
from stagewright.adapters.stack_files import MirroredTrees
from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.intake.reconcile.outside import Outside as IntakeOutside
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.reconcile.outside import Addresses, Outside
from stagewright.contexts.runs.reconcile.situation import policy_now
from stagewright.contexts.runs.rpc import AttemptTokens
from stagewright.contexts.runs.rules.frames import attempt_frame, run_frame
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.crypto import MacSigner
from stagewright.kit.db import Database, Reader
from stagewright.kit.redact import Redactor
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge
from tests.fakes.git_store import WorkTree, bare_remote
from tests.fakes.stacks import FakeStacks
from tests.fakes.workloads import FakeWorkloads

RUN_MOVES = """
select body from journal where stream = %(stream)s and body ? 'version' and body ? 'finish_step'
order by seq desc limit 1
"""
ATTEMPT_FACTS = """
select body from journal where stream = %(stream)s and body ->> 'id' = %(id)s and body ? 'workload'
order by seq desc limit 1
"""


def plant(policy: str, folder: Path) -> tuple[Path, WorkTree]:
    """Put a remote with one commit and a person's checkout of it into ``folder``."""
    shutil.copytree(_planted(policy), folder, dirs_exist_ok=True)
    return folder / "remote.git", WorkTree(folder / "person")


@cache
def _planted(policy: str) -> Path:
    """Make both once for each policy: copying files is a tenth of the work of ten processes."""
    folder = Path(tempfile.mkdtemp(prefix="stagewright-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    remote, person = bare_remote(folder / "remote.git"), WorkTree(folder / "person")
    person.write("README.md", "# Shop\n")
    person.write("docs/notes.md", "notes\n")
    person.write("a.py", "A = 1\n" * 20)
    person.write(".stagewright/policy.yaml", policy)
    person.commit("first")
    person.push(remote, "main")
    return folder


def hands(
    db: Database,
    clock: FakeClock,
    forge: FakeForge,
    git_store: GitStore,
    workloads: FakeWorkloads,
    redactor: Redactor,
    worker: str,
) -> Outside:
    """Return the hands of one worker."""
    tokens = AttemptTokens(factories.KEYRING, issuer="stagewright/test")
    return Outside(
        db=db,
        clock=clock,
        forge=forge,
        git=git_store,
        trees=MirroredTrees(git_store),
        workloads=workloads,
        addresses=Addresses("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", None),
        worker_id=worker,
        workload_kind="local",
        mint_tokens=tokens.mint,
        find_secrets=lambda data: [finding.kind for finding in redactor.find(data)],
        redact=redactor,
        sealer=factories.a_sealer("sessions"),
        signer=MacSigner(factories.KEYRING, approvals.PURPOSE),
        engines_available=_no_engines,
    )


def intake_hands(outside: Outside, forge: FakeForge) -> IntakeOutside:
    """Return intake's hands beside a worker's."""

    async def read_policy(repository: projects.Repository) -> workflow.Policy:
        return await policy_now(outside, repository)

    return IntakeOutside(
        db=outside.db,
        clock=outside.clock,
        threads=forge,
        refresh_policy=read_policy,
        engines_available=_no_engines,
        stacks=FakeStacks(),
    )


async def _no_engines(project_id: UUID, repository_id: UUID) -> frozenset[str]:
    return frozenset()


async def check_frames(reader: Reader) -> None:
    """Hold the last event of every run and attempt against its row."""
    for run in await reader.all(run_rows.to_run, "select * from runs"):
        body = await reader.value(RUN_MOVES, stream=f"run:{run.id}")
        assert body == body | run_frame(run)
        for attempt in await attempt_rows.list_of(reader, run.id):
            if attempt.ended_at is not None:
                told = await reader.value(ATTEMPT_FACTS, stream=f"run:{run.id}", id=str(attempt.id))
                assert told == told | attempt_frame(attempt)
