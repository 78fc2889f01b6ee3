"""The kept sessions of a run: who saved what when, and nothing of what is in them."""

import hashlib

from tests.factories import a_sealer
from tests.fakes.gateway import Gateway
from tests.integration.gateway.test_runs import an_attempt

from stagewright.contexts.agents import api as agents


async def test_the_kept_sessions_are_listed_without_what_is_in_them(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    empty = await gateway.get(f"/runs/{run.id}/session", owner)
    assert (empty.status_code, empty.json()["items"]) == (200, [])
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
    assert [item["attempt"] for item in shown["items"]] == [1, 2]
    assert shown["items"][1] == {
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
    first = (await gateway.get(f"/runs/{run.id}/session?limit=1", owner)).json()
    second = (await gateway.get(f"/runs/{run.id}/session?limit=1&cursor={first['next_cursor']}", owner)).json()
    assert [first["items"], second["items"]] == [shown["items"][:1], shown["items"][1:]]
