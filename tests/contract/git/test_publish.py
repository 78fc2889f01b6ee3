"""The platform's commit and its one push: only the tree leaves quarantine, and nothing is ever forced."""

import asyncio
import base64
import os
import threading
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from tests.contract.git.conftest import TOKEN, Scene
from tests.fakes.git_store import WorkTree, git

from stagewright.adapters.git import GitStore
from stagewright.adapters.git.errors import QuarantineMissing
from stagewright.contexts.runs.errors import OutcomeUnknown
from stagewright.contexts.runs.ports import PushAnswer
from stagewright.kit.errors import Denied, Invalid, LimitReached
from stagewright.kit.ids import uuid7

BRANCH = "stagewright/issue-1/dev"


async def quarantined(scene: Scene, agent: WorkTree) -> tuple[UUID, str]:
    """Inspect what ``agent`` made. Return the attempt and the tree."""
    attempt = uuid7()
    bundle = agent.bundle(scene.base)
    found = await scene.store.inspect(scene.repository, attempt_id=attempt, base_sha=scene.base, bundle=bundle)
    assert found.problem is None
    return attempt, found.tree_sha


async def committed(scene: Scene, name: str = "agent", **files: str) -> tuple[UUID, str]:
    """Return an attempt with the platform's commit of ``files`` in its quarantine."""
    agent = scene.agent(name)
    agent.commit(**files)
    attempt, tree = await quarantined(scene, agent)
    return attempt, await scene.store.commit(scene.repository, attempt_id=attempt, spec=scene.spec(tree))


async def push(
    scene: Scene, attempt: UUID, commit: str, branch: str = BRANCH, expected: str | None = None
) -> PushAnswer:
    """Push ``commit``."""
    return await scene.store.push(
        scene.repository, attempt_id=attempt, commit=commit, branch=branch, expected_old=expected
    )


async def test_the_same_result_published_again_has_the_same_sha(scene: Scene) -> None:
    first_attempt, first = await committed(scene, mine="x")
    second_attempt, second = await committed(scene, "again", mine="x")
    assert first_attempt != second_attempt
    assert first == second
    folder = scene.data / "quarantine" / f"{first_attempt}.git"
    shown = git(folder, "cat-file", "commit", first)
    assert shown.splitlines()[1:4] == [
        f"parent {scene.base}",
        "author dev <bot@stagewright.test> 1767614400 +0000",
        "committer dev <bot@stagewright.test> 1767614400 +0000",
    ]
    assert shown.endswith("\n\nChange the shop")


async def test_a_commit_without_an_author_is_refused_and_tricks_in_names_are_removed(scene: Scene) -> None:
    agent = scene.agent()
    agent.commit(mine="x")
    attempt, tree = await quarantined(scene, agent)
    spec = scene.spec(tree)
    with pytest.raises(Invalid, match="author name"):
        await scene.store.commit(scene.repository, attempt_id=attempt, spec=replace(spec, author_name="<>\n"))
    tricky = replace(spec, author_name="dev>\nparent x", message="a\0b")
    sha = await scene.store.commit(scene.repository, attempt_id=attempt, spec=tricky)
    shown = git(scene.data / "quarantine" / f"{attempt}.git", "cat-file", "commit", sha)
    assert "author devparent x <bot@stagewright.test>" in shown
    assert shown.endswith("\n\nab")


async def test_a_push_makes_the_branch_and_a_second_one_finds_it_there(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    assert await push(scene, attempt, commit) == PushAnswer("done", commit)
    assert await push(scene, attempt, commit) == PushAnswer("done", commit)
    assert await scene.store.heads(scene.repository) == {"main": scene.base, BRANCH: commit}
    assert git(scene.bare, "rev-list", "--count", f"main..{BRANCH}") == "1"


async def test_nothing_of_intermediate_commits_reaches_the_remote(scene: Scene) -> None:
    agent = scene.agent()
    between = agent.commit(config_dot_env="KEY=secret-of-an-intermediate-commit\n" * 20, shared="a\n" * 50)
    hidden = git(agent.path, "rev-parse", "HEAD:config.env")
    (agent.path / "config.env").unlink()
    last = agent.commit(shared="a\n" * 50 + "b\n")
    attempt, tree = await quarantined(scene, agent)
    commit = await scene.store.commit(scene.repository, attempt_id=attempt, spec=scene.spec(tree))
    assert (await push(scene, attempt, commit)).outcome == "done"
    assert scene.remote_has(commit)
    assert scene.remote_has(tree)
    assert [sha for sha in (hidden, between, last) if scene.remote_has(sha)] == []


async def test_objects_of_a_bundle_that_nothing_names_stay_in_quarantine(scene: Scene) -> None:
    agent = scene.agent()
    agent.commit(mine="x")
    loose = git(agent.path, "hash-object", "-w", "--stdin", stdin=b"an object nobody names")
    whole = agent.bundle(scene.base)
    head = whole[: whole.index(b"PACK")]
    listed = git(agent.path, "rev-list", "--objects", "HEAD", f"^{scene.base}")
    names = "".join(f"{line.split()[0]}\n" for line in listed.splitlines()) + f"{loose}\n"
    packed = git(agent.path, "pack-objects", "-q", "out", stdin=names.encode())
    bundle = head + (agent.path / f"out-{packed}.pack").read_bytes()
    attempt = uuid7()
    found = await scene.store.inspect(scene.repository, attempt_id=attempt, base_sha=scene.base, bundle=bundle)
    assert found.problem is None
    spec = scene.spec(found.tree_sha)
    commit = await scene.store.commit(scene.repository, attempt_id=attempt, spec=spec)
    assert (await push(scene, attempt, commit)).outcome == "done"
    assert not scene.remote_has(loose)


async def test_a_branch_that_moved_is_not_touched(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    theirs = scene.work.commit("theirs", theirs="y")
    scene.work.push(scene.bare, BRANCH)
    assert await push(scene, attempt, commit) == PushAnswer("moved", theirs)
    assert await push(scene, attempt, commit, expected=scene.base) == PushAnswer("moved", theirs)
    assert (await scene.store.heads(scene.repository))[BRANCH] == theirs


async def test_a_branch_that_is_gone_counts_as_moved(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    assert await push(scene, attempt, commit, expected=scene.base) == PushAnswer("moved", None)


async def test_a_commit_that_does_not_descend_from_the_branch_is_refused_not_forced(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    theirs = scene.work.commit("theirs", theirs="y")
    scene.work.push(scene.bare, BRANCH)
    answer = await push(scene, attempt, commit, expected=theirs)
    assert (answer.outcome, answer.remote_sha) == ("refused", theirs)
    assert (await scene.store.heads(scene.repository))[BRANCH] == theirs


async def test_the_default_branch_takes_a_push_that_is_meant_for_it_and_only_forwards(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    answer = await scene.store.push(
        scene.repository, attempt_id=attempt, commit=commit, branch="main", expected_old=scene.base, direct=True
    )
    assert (answer.outcome, git(scene.bare, "rev-parse", "main")) == ("done", commit)
    late, second = await committed(scene, "late", theirs="y")
    answer = await scene.store.push(
        scene.repository, attempt_id=late, commit=second, branch="main", expected_old=commit, direct=True
    )
    assert (answer.outcome, git(scene.bare, "rev-parse", "main")) == ("refused", commit)


async def test_the_default_branch_is_refused_by_its_bound_and_by_its_present_name(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    assert (await push(scene, attempt, commit, "main", scene.base)).outcome == "refused"
    scene.work.push(scene.bare, "trunk")
    git(scene.bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert (await push(scene, attempt, commit, "trunk", scene.base)).outcome == "refused"
    assert set((await scene.store.heads(scene.repository)).values()) == {scene.base}


@pytest.mark.parametrize(
    "branch", ["", "-x", "a..b", "a b", "a:b", "refs/../x", "x.lock", "x/", "+main", "a/.b", "x\n"]
)
async def test_a_branch_name_that_could_mean_something_else_is_refused(scene: Scene, branch: str) -> None:
    with pytest.raises(Invalid, match="branch name"):
        await push(scene, uuid7_with_quarantine(scene), "ab" * 20, branch)


def uuid7_with_quarantine(scene: Scene) -> UUID:
    """Return an attempt that has an empty quarantine."""
    attempt = uuid7()
    folder = scene.data / "quarantine" / f"{attempt}.git"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--bare")
    return attempt


async def test_a_refusal_of_the_remote_is_refused_with_its_words(scene: Scene) -> None:
    hook = scene.bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    attempt, commit = await committed(scene, mine="x")
    answer = await push(scene, attempt, commit)
    assert answer.outcome == "refused"
    assert "protected branch" in answer.detail
    assert BRANCH not in await scene.store.heads(scene.repository)


async def test_a_push_whose_answer_is_lost_is_unknown_and_found_by_reading(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    scene.forge.behaviour.drop_after = "git-receive-pack"
    with pytest.raises(OutcomeUnknown):
        await push(scene, attempt, commit)
    scene.forge.behaviour.drop_after = None
    assert (await scene.store.heads(scene.repository))[BRANCH] == commit
    assert await push(scene, attempt, commit) == PushAnswer("done", commit)


@pytest.mark.parametrize("answer", [b"", b"0000"])
async def test_a_push_whose_report_is_cut_off_is_unknown_not_refused(scene: Scene, answer: bytes) -> None:
    attempt, commit = await committed(scene, mine="x")
    scene.forge.behaviour.cut_answer = answer
    with pytest.raises(OutcomeUnknown):
        await push(scene, attempt, commit)
    assert (await scene.store.heads(scene.repository))[BRANCH] == commit


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_push_that_the_forge_answers_with_an_error_is_unknown(scene: Scene, status: int) -> None:
    attempt, commit = await committed(scene, mine="x")
    scene.forge.behaviour.answers = {"/git-receive-pack": status}
    with pytest.raises(OutcomeUnknown):
        await push(scene, attempt, commit)


async def test_a_push_that_the_forge_limits_did_not_happen(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    scene.forge.behaviour.answers = {"git-receive-pack": 429}
    with pytest.raises(LimitReached) as caught:
        await push(scene, attempt, commit)
    assert caught.value.params["bucket"] == "git"


async def test_a_push_without_permission_is_denied(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    scene.forge.behaviour.answers = {"service=git-receive-pack": 403}
    with pytest.raises(Denied):
        await push(scene, attempt, commit)


async def test_our_commit_is_put_on_top_of_what_others_pushed(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    theirs = scene.work.commit("theirs", theirs="y")
    scene.work.push(scene.bare, BRANCH)
    spec = scene.spec(git(scene.data / "quarantine" / f"{attempt}.git", "rev-parse", f"{commit}^{{tree}}"))
    merged = await scene.store.merge_onto(scene.repository, attempt_id=attempt, commit=commit, onto=theirs, spec=spec)
    assert merged is not None
    found = await scene.store.examine(scene.repository, attempt_id=attempt, base_sha=theirs, commit=merged)
    assert [item.path for item in found.changed] == [b"mine"]
    assert await push(scene, attempt, merged, expected=theirs) == PushAnswer("done", merged)
    assert git(scene.bare, "rev-list", "--parents", "-1", BRANCH) == f"{merged} {theirs}"


async def test_a_conflict_with_what_others_pushed_is_no_commit(scene: Scene) -> None:
    attempt, commit = await committed(scene, README_dot_md="ours\n")
    theirs = scene.work.commit("theirs", README_dot_md="theirs\n")
    scene.work.push(scene.bare, BRANCH)
    assert (
        await scene.store.merge_onto(
            scene.repository, attempt_id=attempt, commit=commit, onto=theirs, spec=scene.spec("ab" * 20)
        )
        is None
    )


async def test_the_diff_of_a_quarantined_tree_is_cut_at_its_limit(scene: Scene) -> None:
    attempt, _ = await committed(scene, mine="x\n" * 5000)
    whole = await scene.store.diff(scene.repository, attempt_id=attempt, base_sha=scene.base, limit=1 << 20)
    assert whole.startswith("diff --git a/mine b/mine\nnew file mode 100644\n")
    cut = await scene.store.diff(scene.repository, attempt_id=attempt, base_sha=scene.base, limit=100)
    assert cut == whole[:100]


async def test_a_comparison_begins_where_the_branch_left_its_target(scene: Scene) -> None:
    base = scene.work.commit("base", old="1\n2\n3\n4\n5\n6\n7\n8\n")
    scene.work.push(scene.bare, "main")
    git(scene.work.path, "mv", "old", "new")
    head = scene.work.commit("topic", new="1\n2\n3\n4\nfive\n6\n7\n8\n")
    scene.work.push(scene.bare, BRANCH)
    git(scene.work.path, "reset", "-q", "--hard", base)
    target = scene.work.commit("meanwhile", other="x\n")
    scene.work.push(scene.bare, "main")
    found = await scene.store.compare(scene.repository, base_sha=target, head_sha=head, limit=1 << 20)
    assert "rename from old\nrename to new\n" in found
    assert "-5\n+five\n" in found
    assert "other" not in found, "what the target did meanwhile is no part of it"
    assert await scene.store.compare(scene.repository, base_sha=target, head_sha=head, limit=50) == found[:50]


async def test_an_attempt_without_a_quarantine_says_so(scene: Scene) -> None:
    with pytest.raises(QuarantineMissing):
        await push(scene, uuid7(), "ab" * 20)


async def test_the_ancestry_of_two_commits_is_told(scene: Scene) -> None:
    newer = scene.work.commit("newer", x="x")
    scene.work.push(scene.bare, "main")
    ask = scene.store.is_ancestor
    assert await ask(scene.repository, ancestor=scene.base, descendant=newer)
    assert not await ask(scene.repository, ancestor=newer, descendant=scene.base)


async def test_several_stores_in_one_folder_do_not_disturb_each_other(scene: Scene) -> None:
    stores = [GitStore(scene.data, scene.access) for _ in range(4)]
    made = await asyncio.gather(*(s.make_source(scene.repository, base_sha=scene.base, refs={}) for s in stores))
    assert len(set(made)) == 1


async def test_the_credential_shows_in_no_process_and_no_file_while_a_push_is_held(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    scene.forge.behaviour.hold = threading.Event()
    pushing = asyncio.create_task(push(scene, attempt, commit))
    assert await asyncio.to_thread(scene.forge.behaviour.held.wait, 20)
    seen = processes_below(os.getpid())
    assert any(b"receive-pack" in shown or b"push" in shown for shown in seen)
    everywhere = b"\n".join(seen) + b"\n".join(file.read_bytes() for file in scene.data.rglob("*") if file.is_file())
    scene.forge.behaviour.hold.set()
    assert (await pushing).outcome == "done"
    for form in (TOKEN.encode(), base64.b64encode(f"x-access-token:{TOKEN}".encode())):
        assert form not in everywhere


async def test_a_cancelled_push_leaves_no_process_behind(scene: Scene) -> None:
    attempt, commit = await committed(scene, mine="x")
    scene.forge.behaviour.hold = threading.Event()
    pushing = asyncio.create_task(push(scene, attempt, commit))
    assert await asyncio.to_thread(scene.forge.behaviour.held.wait, 20)
    pushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pushing
    async with asyncio.timeout(5):
        while [shown for shown in processes_below(os.getpid()) if b"git" in shown and b"http-backend" not in shown]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def processes_below(parent: int) -> list[bytes]:
    """Return command line and environment of every process below ``parent``."""
    found: list[bytes] = []
    children = [int(text) for task in Path(f"/proc/{parent}/task").iterdir() for text in _children(task)]
    for child in children:
        try:
            folder = Path(f"/proc/{child}")
            found.append((folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes())
            found += processes_below(child)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _children(task: Path) -> list[str]:
    try:
        return (task / "children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
