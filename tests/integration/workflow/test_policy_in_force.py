"""WF6: an invalid policy file changes nothing but the incident: the last valid one stays in force."""

from tests import factories
from tests.fakes.clock import FakeClock

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.projects import api as projects
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Database

GOOD = "defaults: {reasoning: low}\n"
BAD = "defaults: {reasoning: enormous}\n"


async def kept(db: Database, clock: FakeClock, repository: projects.Repository, text: str | None, sha: str) -> str:
    """Put a file in force and return the hash of the policy that counts then."""
    async with db.transaction() as tx:
        await workflow.keep_policy(tx, repository, text=text, commit_sha=sha, now=clock.now())
    async with db.reading() as reader:
        return (await workflow.policy_in_force(reader, repository.id)).hash


async def test_an_invalid_file_leaves_the_last_valid_one_in_force(db: Database, clock: FakeClock) -> None:
    async with db.transaction() as tx:
        await factories.an_owner(tx, now=clock.now())
        project = await factories.a_project(tx, now=clock.now())
        found = projects.ForgeRepository(1, "acme/shop", "main", "http://f/s", "http://f/s.git", private=False)
        repository = await factories.a_repository(tx, project, found, now=clock.now())
    builtin = workflow.builtin_policy().hash
    good = workflow.effective_policy(GOOD).hash
    assert await kept(db, clock, repository, BAD, "c1") == builtin
    assert await kept(db, clock, repository, GOOD, "c2") == good
    assert await kept(db, clock, repository, BAD, "c3") == good
    async with db.reading() as reader:
        (told,) = await incidents.list_newest(reader, limit=5)
    assert (told.code, told.count, told.project_id) == ("policy_invalid", 2, project.id)
    assert "line 1: there is no reasoning level" in told.message
    assert await kept(db, clock, repository, None, "c4") == builtin
