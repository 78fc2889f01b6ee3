"""WF6: an invalid policy file changes nothing but the incident: the last valid one stays in force."""

from tests import factories
from tests.fakes.clock import FakeClock

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.projects import api as projects
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Database

GOOD = "defaults: {reasoning: low}\n"
STRICT = "limits: {project: {total: 2}}\n"
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


async def test_the_platforms_own_file_holds_below_every_projects(db: Database, clock: FakeClock) -> None:
    async with db.transaction() as tx:
        await factories.an_owner(tx, now=clock.now())
        project = await factories.a_project(tx, now=clock.now())
        found = projects.ForgeRepository(1, "acme/shop", "main", "http://f/s", "http://f/s.git", private=False)
        repository = await factories.a_repository(tx, project, found, now=clock.now())
    before = await kept(db, clock, repository, GOOD, "c1")
    with workflow.platform_policy(STRICT) as platform:
        assert workflow.builtin_policy() == platform != workflow.effective_policy(GOOD)
        with_both = await kept(db, clock, repository, GOOD, "c1")
        assert with_both == workflow.effective_policy(GOOD).hash
        assert len({before, with_both, platform.hash}) == 3
        async with db.reading() as reader:
            policy = await workflow.policy_in_force(reader, repository.id)
        assert (policy.limits.project.total, policy.defaults.reasoning) == (2, "low")
    assert await kept(db, clock, repository, GOOD, "c1") == before


async def test_a_project_that_the_platforms_new_file_does_not_allow_any_more_is_told(
    db: Database, clock: FakeClock
) -> None:
    async with db.transaction() as tx:
        await factories.an_owner(tx, now=clock.now())
        project = await factories.a_project(tx, now=clock.now())
        found = projects.ForgeRepository(1, "acme/shop", "main", "http://f/s", "http://f/s.git", private=False)
        repository = await factories.a_repository(tx, project, found, now=clock.now())
    rows = "protected_paths: [{path: '.github/**', rule: owner_review}, {path: 'billing/**', rule: deny}"
    own = f"{rows}, {{path: .stagewright/policy.yaml, rule: owner_review}}, {{path: services.yaml, rule: owner_review}}"
    own += ", {path: .gitmodules, rule: deny}]\n"
    outer = own.replace("billing", "payroll")
    assert await kept(db, clock, repository, own, "c1") == workflow.effective_policy(own).hash
    with workflow.platform_policy(outer) as platform:
        assert await kept(db, clock, repository, own, "c1") == platform.hash
        async with db.reading() as reader:
            (told,) = await incidents.list_newest(reader, limit=5)
        assert "the project may only add to it" in told.message
