"""Runs through the door: frames, cancelling with a preview, waits, prompt, result."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.factories import a_report
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person
from tests.unit.agents.factories import a_prompt_input

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.model import AttemptId, Run, RunStatus, WaitKind
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import diffs as diff_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import effects, moves, waits
from stagewright.kit.ids import uuid7


async def an_attempt(gateway: Gateway, run: Run, generation: int = 1) -> AttemptId:
    """Reserve an attempt of ``run``."""
    now, attempt_id = gateway.clock.now(), AttemptId(uuid7())
    values = {
        "id": attempt_id,
        "run_id": run.id,
        "generation": generation,
        "reason": "first",
        "workload_name": f"sw-{generation}",
        "workload_kind": "local",
        "restored_session_id": None,
        "deadline": now + timedelta(hours=1),
        "now": now,
    }
    async with gateway.db.transaction() as tx:
        await attempt_rows.insert(tx, values)
    return attempt_id


async def put(gateway: Gateway, run: Run, status: str) -> None:
    """Put the run's row into ``status``: the way there is proven elsewhere."""
    async with gateway.db.transaction() as tx:
        await tx.execute("update runs set status = %(status)s where id = %(id)s", status=status, id=run.id)


async def cancel(gateway: Gateway, run: Run, who: Person) -> Any:
    """Preview and cancel."""
    preview = await gateway.post(f"/runs/{run.id}:cancel?preview=1", who)
    assert preview.status_code == 200, preview.text
    token = preview.json()["confirm_token"]
    return await gateway.post(f"/runs/{run.id}:cancel", who, {"confirm_token": token, "reason": "not needed"})


async def events(gateway: Gateway, run: Run, who: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await gateway.get(f"/runs/{run.id}/events", who)).json()["items"]
    return found


async def test_the_view_begins_with_the_frame_of_the_last_event(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    for _ in range(2):
        view = (await gateway.get(f"/runs/{run.id}", owner)).json()
        last = [item for item in await events(gateway, run, owner) if "status" in item["data"]][-1]
        frame = {name: value for name, value in last["data"].items() if name in view}
        assert frame == {name: view[name] for name in frame}
        assert len(frame) > 40
        await cancel(gateway, run, owner)


async def test_a_run_shows_its_attempts_waits_and_names(gateway: Gateway) -> None:
    project, repository, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    attempt = await an_attempt(gateway, run)
    view = (await gateway.get(f"/runs/{run.id}", owner)).json()
    assert (view["number"], view["project"], view["repository"]) == ("run-0001", project.key, repository.full_name)
    assert [item["id"] for item in view["attempts"]] == [str(attempt)]
    assert (view["wait"], view["waits"], view["pull_request"]) == (None, [], None)
    assert (await gateway.get(f"/runs/{run.id}/attempts/1", owner)).json() == view["attempts"][0]
    assert (await gateway.get(f"/runs/{run.id}/attempts/2", owner)).status_code == 404
    listed = (await gateway.get(f"/runs/{run.id}/attempts", owner)).json()["items"]
    assert listed == view["attempts"]


async def test_cancelling_needs_the_token_of_its_own_preview(gateway: Gateway) -> None:
    _, repository, run = await gateway.scene()
    other = await gateway.run(repository, 2)
    owner, admin = await gateway.person("ann", role="owner"), await gateway.person("bob", role="admin")
    bare = await gateway.post(f"/runs/{run.id}:cancel", owner)
    assert (bare.status_code, bare.json()["code"]) == (428, "confirm.required")
    preview = (await gateway.post(f"/runs/{run.id}:cancel?preview=1", owner)).json()
    ends = {"run": "run-0001", "kind": "dev", "status": "queued"}
    assert preview["stops"] == [{"code": "run.ends", "params": ends}]
    body = {"confirm_token": preview["confirm_token"]}
    assert (await gateway.post(f"/runs/{other.id}:cancel", owner, body)).status_code == 428
    assert (await gateway.post(f"/runs/{run.id}:cancel", admin, body)).status_code == 428
    forged = {"confirm_token": preview["confirm_token"][:-4] + "AAAA"}
    assert (await gateway.post(f"/runs/{run.id}:cancel", owner, forged)).status_code == 428
    done = await gateway.post(f"/runs/{run.id}:cancel", owner, body)
    assert (done.status_code, done.json()["status"]) == (202, "cancelled")


async def test_a_confirmation_expires_and_ends_with_a_change(gateway: Gateway, clock: FakeClock) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    path = f"/runs/{run.id}:cancel"
    old = (await gateway.post(f"{path}?preview=1", owner)).json()["confirm_token"]
    clock.advance(timedelta(minutes=5))
    assert (await gateway.post(path, owner, {"confirm_token": old})).status_code == 428
    token = (await gateway.post(f"{path}?preview=1", owner)).json()["confirm_token"]
    async with gateway.db.transaction() as tx:
        await run_rows.save(tx, await run_rows.lock(tx, run.id))
    changed = await gateway.post(path, owner, {"confirm_token": token})
    assert (changed.status_code, changed.json()["code"]) == (409, "confirm.outdated")


async def test_a_running_run_is_asked_to_stop_and_asking_again_changes_nothing(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    await an_attempt(gateway, run)
    await put(gateway, run, "running")
    preview = (await gateway.post(f"/runs/{run.id}:cancel?preview=1", owner)).json()
    assert preview["stops"][1]["code"] == "run.workload_stops"
    assert preview["stops"][1]["params"]["workload"].startswith("sw-1")
    assert preview["lost"]
    first = await cancel(gateway, run, owner)
    assert (first.status_code, first.json()["status"]) == (202, "cancelling")
    again = await gateway.post(f"/runs/{run.id}:cancel", owner)
    assert (again.status_code, again.json()["version"]) == (202, first.json()["version"])
    assert again.json()["allowed_actions"][0]["reason_code"] == "already_cancelling"
    requested = [item for item in await events(gateway, run, owner) if item["kind"] == "run.cancel.requested"]
    assert [(item["actor"]["kind"], item["data"]["reason"]) for item in requested] == [("user", "not needed")]


async def test_a_finished_run_is_already_finished(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    await put(gateway, run, "succeeded")
    answer = await gateway.post(f"/runs/{run.id}:cancel", owner)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.json()["allowed_actions"][0]["reason_code"] == "already_terminal"


@pytest.mark.parametrize("preview", ["", "?preview=1"])
async def test_a_result_that_is_being_published_stays(gateway: Gateway, preview: str) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    await put(gateway, run, "finishing")
    async with gateway.db.transaction() as tx:
        await effects.reserve(
            tx,
            "git.push",
            dedupe_key="push",
            repository_id=run.repository_id,
            target="branch:x",
            payload={},
            now=gateway.clock.now(),
            run_id=run.id,
        )
        await tx.execute("update effects set status = 'submitted' where kind = 'git.push'")
    answer = await gateway.post(f"/runs/{run.id}:cancel{preview}", owner)
    assert (answer.status_code, answer.json()["code"]) == (409, "run_publishing")


async def a_wait(gateway: Gateway, run: Run, kind: WaitKind, target_kind: str = "provider") -> UUID:
    now = gateway.clock.now()
    async with gateway.db.transaction() as tx:
        row = await run_rows.lock(tx, run.id)
        wait = await moves.open_wait(
            tx,
            row,
            kind,
            target_kind=target_kind,
            target_id="core",
            who_can_act="nobody",
            now=now,
            resume_at=now + timedelta(hours=1),
        )
        await moves.pause(tx, row, now=now)
    return wait.id


async def test_a_wait_for_a_limit_can_be_ended_now_and_the_run_goes_on(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    wait = await a_wait(gateway, run, WaitKind.RATE_LIMIT)
    (shown,) = (await gateway.get("/waits", owner)).json()["items"]
    assert (shown["id"], shown["run_number"], shown["cost"]) == (str(wait), "run-0001", 0)
    assert shown["allowed_actions"] == [
        {"verb": "retry", "mode": "allow", "reason_code": None},
        {"verb": "answer", "mode": "deny", "reason_code": "wait_not_a_question"},
        {"verb": "resolve", "mode": "deny", "reason_code": "wait_not_for_budget"},
    ]
    assert (await gateway.get(f"/runs/{run.id}", owner)).json()["wait"]["id"] == str(wait)
    assert (await gateway.get("/runs?wait_reason=rate_limit", owner)).json()["items"][0]["id"] == str(run.id)
    ended = await gateway.post(f"/waits/{wait}:retry", owner)
    assert (ended.status_code, ended.json()["status"], ended.json()["resolution"]) == (200, "resolved", "limit_cleared")
    async with gateway.db.transaction() as tx:
        assert await waits.resume_ready(tx, now=gateway.clock.now()) == 1
        assert (await run_rows.get(tx, run.id)).status is RunStatus.QUEUED
    assert (await gateway.get("/waits", owner)).json()["items"] == []
    again = await gateway.post(f"/waits/{wait}:retry", owner)
    assert again.json()["allowed_actions"][0]["reason_code"] == "wait_closed"


async def test_a_question_of_a_report_is_answered_once_by_who_may_start_runs(gateway: Gateway) -> None:
    project, _, run = await gateway.scene()
    owner, stranger = await gateway.person("ann", role="owner"), await gateway.person("eve")
    reader = await gateway.person("bob", member_of=project)
    wait = await a_wait(gateway, run, WaitKind.QUESTION, "report")
    (shown,) = (await gateway.get("/waits", owner)).json()["items"]
    assert shown["allowed_actions"][1] == {"verb": "answer", "mode": "allow", "reason_code": None}
    assert shown["answers"] == [{"answer": "answer", "effect": "run_resumes"}]
    (seen,) = (await gateway.get("/waits", reader)).json()["items"]
    assert seen["allowed_actions"][1]["reason_code"] == "permission_denied"

    said = {"text": "Blue, of course."}
    assert (await gateway.post(f"/waits/{wait}:answer", reader, said)).status_code == 403
    assert (await gateway.post(f"/waits/{wait}:answer", stranger, said)).status_code == 404
    assert (await gateway.post(f"/waits/{wait}:answer", owner, {"text": ""})).status_code == 400
    told = await gateway.post(f"/waits/{wait}:answer", owner, said)
    assert (told.status_code, told.json()["resolution"], told.json()["status"]) == (200, "answered", "resolved")
    again = await gateway.post(f"/waits/{wait}:answer", owner, said)
    assert (again.status_code, again.json()["code"]) == (409, "wait.question_closed")
    async with gateway.db.reading() as reader_:
        went_on = await run_rows.get(reader_, run.id)
    assert (went_on.status, went_on.resumed, went_on.world.attempt_reason) == (RunStatus.QUEUED, True, "answer")


async def test_a_wait_for_a_person_cannot_be_retried(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner, stranger = await gateway.person("ann", role="owner"), await gateway.person("eve")
    wait = await a_wait(gateway, run, WaitKind.QUESTION)
    answer = await gateway.post(f"/waits/{wait}:retry", owner)
    assert (answer.status_code, answer.json()["code"]) == (422, "wait.not_retryable")
    assert (await gateway.post(f"/waits/{wait}:retry", stranger)).status_code == 404
    assert (await gateway.get("/waits?overdue=true", owner)).json()["items"] == []
    gateway.clock.advance(timedelta(days=8))
    assert len((await gateway.get("/waits?overdue=true&reason=question", owner)).json()["items"]) == 1
    assert len((await gateway.get(f"/runs/{run.id}/waits", owner)).json()["items"]) == 1


async def test_the_newest_result_is_shown_with_its_verdict(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    attempt, now = await an_attempt(gateway, run), gateway.clock.now()
    assert (await gateway.get(f"/runs/{run.id}/result", owner)).json()["code"] == "result.not_found"
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
            verdict="refused",
            violations=[{"code": "scope_violation", "message": "outside", "paths": ["a.py"]}],
            warnings=["large"],
            tree_sha=None,
            changed=[{"path": "a.py", "status": "A"}],
            now=now,
        )
    result = (await gateway.get(f"/runs/{run.id}/result?attempt=1", owner)).json()
    assert (result["attempt"], result["verdict"], result["report"]["title"]) == (1, "refused", "Add a greeting")
    assert result["violations"][0]["paths"] == ["a.py"]
    assert (await gateway.get(f"/runs/{run.id}/result?attempt=2", owner)).status_code == 404
    none = await gateway.get(f"/runs/{run.id}/result/diff", owner)
    assert (none.status_code, none.json()["code"]) == (404, "result.diff_not_found")
    async with gateway.db.transaction() as tx:
        await diff_rows.insert(tx, proposal.id, base_sha="ab" * 20, diff="+имя\n".encode(), truncated=True)
    diff = (await gateway.get(f"/runs/{run.id}/result/diff?attempt=1", owner)).json()
    assert (diff["diff"], diff["bytes"], diff["truncated"], diff["attempt"]) == ("+имя\n", 8, True, 1)


async def test_the_prompt_is_shown_redacted_with_its_parts(gateway: Gateway) -> None:
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    attempt = await an_attempt(gateway, run)
    assert (await gateway.get(f"/runs/{run.id}/prompt", owner)).status_code == 404
    prompt = agents.compose(a_prompt_input(), agents.load_catalogue())
    async with gateway.db.transaction() as tx:
        await agents.record_prompt(
            tx,
            prompt,
            project_id=run.project_id,
            run_id=run.id,
            attempt_id=attempt,
            redact=lambda text: text.replace("acme", "«redacted»"),
            clock=gateway.clock,
        )
    shown = (await gateway.get(f"/runs/{run.id}/prompt?attempt=1", owner)).json()
    assert (shown["attempt"], shown["sha256"]) == (1, prompt.sha256)
    assert "acme" not in shown["text"]
    assert [part["part"] for part in shown["parts"]] == [part.part for part in prompt.parts]
