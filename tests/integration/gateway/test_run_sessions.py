"""What a run's sessions did and used, and which are kept: who saved what when, and nothing of what is in them."""

import hashlib

from tests.factories import a_report, a_sealer
from tests.fakes.gateway import Gateway
from tests.integration.gateway.test_runs import an_attempt

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs import events
from stagewright.contexts.runs.store import diffs as diff_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.kit.ids import uuid7

DIFF = b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,3 @@\n one\n-two\n+2\n+3\n"


async def test_the_kept_sessions_are_listed_without_what_is_in_them(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    empty = await gateway.get(f"/runs/{run.id}/session", owner)
    assert (empty.status_code, empty.json()["saved"]) == (200, [])
    assert (empty.json()["acts"], empty.json()["files"], empty.json()["models"]) == (None, None, [])
    saved = []
    for generation, archive in ((1, b"first thread"), (2, b"second thread")):
        attempt = await an_attempt(gateway, run, generation)
        draft = agents.SessionDraft(
            project_id=run.project_id,
            run_id=run.id,
            attempt_id=attempt,
            repository_id=run.repository_id,
            issue_number=run.issue_number,
            stage=run.stage,
            role=run.role,
            engine=agents.EngineName.CODEX,
            engine_version="0.169.0",
            thread_id="thread-nobody-sees",
            archive=archive,
            archive_sha256=hashlib.sha256(archive).digest(),
            wip_bundle=b"bundle" if generation == 2 else None,
            wip_sha256=hashlib.sha256(b"bundle").digest() if generation == 2 else None,
            manifest={"file": "nobody-sees"},
            reason=agents.SessionReason.END,
        )
        async with gateway.db.transaction() as tx:
            saved.append(await agents.save_session(tx, draft, sealer=a_sealer("sessions"), clock=gateway.clock))
            await tx.execute("update attempts set status = 'ended' where id = %(id)s", id=attempt)
    shown = (await gateway.get(f"/runs/{run.id}/session", owner)).json()
    assert [item["attempt"] for item in shown["saved"]] == [1, 2]
    assert shown["saved"][1] == {
        "id": str(saved[1].id),
        "run_id": str(run.id),
        "attempt_id": str(saved[1].attempt_id),
        "attempt": 2,
        "engine": "codex",
        "engine_version": "0.169.0",
        "reason": "end",
        "bytes": len(b"second thread") + len(b"bundle"),
        "work_in_progress": True,
        "sha256": hashlib.sha256(b"second thread").hexdigest(),
        "saved_at": saved[1].created_at.isoformat(),
    }
    assert "nobody-sees" not in str(shown)


async def test_what_attempts_did_and_used_adds_up_and_the_newest_count_of_each_counts(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner, now = await gateway.person(role="owner"), gateway.clock.now()
    attempts = []
    for generation in (1, 2):
        attempts.append(await an_attempt(gateway, run, generation))
        async with gateway.db.transaction() as tx:
            await tx.execute("update attempts set status = 'ended' where id = %(id)s", id=attempts[-1])
    first, second = attempts
    async with gateway.db.transaction() as tx:
        for attempt, commands in ((first, 1), (first, 4), (second, 2)):
            tools = {"search": {"calls": commands, "failed": 1}}
            body = {"attempt": str(attempt), "turns": 1, "commands": {"calls": commands, "failed": 0}, "tools": tools}
            tx.publish(events.AgentActed(run=run, extra=body))
        for attempt, model, source in (
            (first, "m-1", "relay"),
            (first, "m-1", "relay"),
            (first, "m-1", "engine"),
            (second, "m-2", "engine"),
        ):
            await result_rows.add_usage(
                tx, attempt, model=model, tokens_in=10, tokens_cached=4, tokens_out=1, source=source, now=now
            )
    shown = (await gateway.get(f"/runs/{run.id}/session", owner)).json()
    assert shown["acts"]["commands"] == {"calls": 6, "failed": 0}
    assert shown["acts"]["tools"] == [{"name": "search", "calls": 6, "failed": 2}]
    assert [(item["attempt"], item["acts"]["commands"]["calls"]) for item in shown["attempts"]] == [(1, 4), (2, 2)]
    assert [(item["model"], item["calls"], item["tokens_in"]) for item in shown["models"]] == [
        ("m-1", 2, 20),
        ("m-2", 1, 10),
    ]
    assert {item["cost_micros"] for item in shown["models"]} == {None}


async def test_the_files_of_the_newest_result_have_their_lines(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner, now = await gateway.person(role="owner"), gateway.clock.now()
    attempt = await an_attempt(gateway, run)
    async with gateway.db.transaction() as tx:
        proposal = await result_rows.insert(
            tx,
            proposal_id=uuid7(),
            attempt_id=attempt,
            proposal_no=1,
            report=a_report(),
            bundle=None,
            bundle_sha256=None,
            now=now,
        )
        assert proposal is not None
        await result_rows.set_checked(
            tx,
            proposal.id,
            verdict="accepted",
            violations=[],
            warnings=[],
            tree_sha="ab" * 20,
            changed=[{"path": "a.py", "status": "M"}, {"path": "logo.png", "status": "A"}],
            now=now,
        )
        await diff_rows.insert(tx, proposal.id, base_sha="ab" * 20, diff=DIFF, truncated=False)
    shown = (await gateway.get(f"/runs/{run.id}/session", owner)).json()
    assert shown["files"] == [
        {"path": "a.py", "status": "M", "added": 2, "removed": 1},
        {"path": "logo.png", "status": "A", "added": None, "removed": None},
    ]
    assert shown["files_truncated"] is False


async def test_events_are_read_from_both_ends_and_by_families_of_kinds(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    async with gateway.db.transaction() as tx:
        for kind in (events.AgentStarted, events.AgentReady, events.TokensIssued):
            tx.publish(kind(run=run, extra={"v": 1}))
    path = f"/runs/{run.id}/events"
    oldest = (await gateway.get(path, owner)).json()["items"]
    newest = (await gateway.get(f"{path}?order=newest&limit=2", owner)).json()
    older = (await gateway.get(f"{path}?order=newest&limit=9&cursor={newest['next_cursor']}", owner)).json()
    assert newest["items"] + older["items"] == oldest[::-1]
    assert oldest[0]["kind"] == "run.queued"

    async def kinds(query: str) -> list[str]:
        return [item["kind"] for item in (await gateway.get(f"{path}?{query}", owner)).json()["items"]]

    assert await kinds("kind=run.agent.*") == ["run.agent.started", "run.agent.ready"]
    assert await kinds("kind=run.agent.ready&kind=run.queued") == ["run.queued", "run.agent.ready"]
    assert await kinds("without=run.agent.*&without=run.mcp.token.issued") == ["run.queued"]
    assert (await gateway.get(f"{path}?kind=run%25", owner)).status_code == 400
