"""RN1, RN2, RN3: deliveries are decided once, in order, and say why when they start nothing."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests import factories
from tests.world import World
from tools import github_api

from stagewright.contexts.intake import store
from stagewright.contexts.intake.http import WebhookDoor
from stagewright.contexts.intake.model import NewDelivery
from stagewright.contexts.intake.reconcile.deliveries import MOST_TRIES
from stagewright.contexts.intake.usecases import keep_deliveries
from stagewright.contexts.projects import api as projects
from stagewright.contexts.projects.usecases import turn_repository
from stagewright.contexts.runs.errors import NotSent
from stagewright.contexts.runs.model import RunStatus
from stagewright.contexts.vault import api as vault
from stagewright.kit.crypto import hmac_sha256_header
from stagewright.kit.errors import LimitReached
from stagewright.kit.metrics import Metrics


async def verdicts(world: World) -> list[tuple[str, str, str | None]]:
    """Return (id, status or verdict, reason) of all deliveries in order of receipt."""
    async with world.db.reading() as reader:
        return await reader.all(
            lambda row: (str(row["delivery_id"]), str(row["verdict"] or row["status"]), row["reason"]),
            "select delivery_id, status, verdict, reason from webhook_deliveries order by received_at, delivery_id",
        )


async def told(world: World, issue: int, label: str, *, by: str = "ann", delivery_id: str = "d-1") -> None:
    """Put a label on an issue, and let the webhook of it be decided."""
    world.put_label(issue, label, by=by)
    await world.deliver("issues", world.labeled(issue, label, by=by), delivery_id=delivery_id)
    await world.decide()


async def test_labels_of_a_disabled_repository_start_nothing_until_it_is_enabled(world: World) -> None:
    issue = world.issue()
    async with world.db.transaction() as tx:
        disabled = await turn_repository(tx, world.repository, projects.RepositoryState.DISABLED)
    await told(world, issue, "run:dev")
    async with world.db.transaction() as tx:
        await turn_repository(tx, disabled, projects.RepositoryState.ENABLED)
    await told(world, world.issue(), "run:dev", delivery_id="d-2")
    assert await verdicts(world) == [("d-1", "ignore", "repository_disabled"), ("d-2", "start", None)]


async def through_app(world: World, *, app_id: int) -> World:
    """Return the platform seen from a repository that is bound through a GitHub App."""
    info = world.forge.add_repository("acme/through-app")
    world.forge.set_role(info.id, "ann", "write")
    found = projects.ForgeRepository(info.id, info.full_name, "main", info.web_url, str(world.remote), private=False)
    now = world.clock.now()
    async with world.db.transaction() as tx:
        bound = await projects.bind_repository(
            tx,
            world.project,
            found,
            api_url=factories.API_URL,
            binding=projects.Binding.GITHUB_APP,
            sealer=factories.a_sealer("webhook-secrets"),
            now=now,
        )
        for purpose in (vault.BOT, vault.MANAGEMENT):
            app = vault.NewCredential(
                scope=vault.CredentialScope.REPOSITORY,
                purpose=purpose,
                kind=vault.CredentialKind.GITHUB_APP,
                secret="-----BEGIN KEY-----",
                repository_id=bound.repository.id,
                app_id=app_id,
                installation_id=70,
            )
            await vault.put_credential(tx, app, sealer=factories.a_sealer(), now=now)
    return replace(world, repository=bound.repository)


class TestOnce:
    """RN1: the same fact starts one run, and says no once."""

    async def test_rn1_a_delivery_that_comes_twice_starts_one_run(self, world: World) -> None:
        issue = world.issue()
        world.put_label(issue, "run:dev")
        payload = world.labeled(issue, "run:dev")
        assert await world.deliver("issues", payload)
        assert not await world.deliver("issues", payload), "seen before"
        await world.decide()
        await world.deliver("issues", payload, delivery_id="redelivered under another id")
        await world.decide()
        assert await world.count_runs() == 1
        assert [verdict for _, verdict, _ in await verdicts(world)] == ["start", "ignore"]

    async def test_rn1_a_refused_delivery_that_comes_twice_writes_one_comment(self, world: World) -> None:
        issue = world.issue()
        world.forge.set_role(world.repository.forge_repository_id, "eve", "read")
        await told(world, issue, "run:dev", by="eve")
        payload = world.labeled(issue, "run:dev", by="eve")
        await world.deliver("issues", payload, delivery_id="d-2")
        await world.decide()
        await world.work()
        assert len(world.diagnostics(issue)) == 1
        assert await world.count_runs() == 0

    async def test_webhook_and_scan_of_one_label_start_one_run(self, world: World) -> None:
        issue = world.issue()
        await told(world, issue, "run:dev")
        await world.scan()
        assert await world.count_runs() == 1

    async def test_a_late_webhook_after_the_scan_is_handled_already_within_the_clocks_slack(self, world: World) -> None:
        issue = world.issue()
        world.put_label(issue, "run:dev")
        payload = world.labeled(issue, "run:dev")
        payload["issue"]["updated_at"] = (world.clock.now() + timedelta(seconds=1)).isoformat()
        await world.scan()
        await world.deliver("issues", payload)
        await world.decide()
        assert await world.count_runs() == 1
        assert (await verdicts(world))[0][2] == "trigger_already_handled"

    async def test_the_same_label_set_again_later_is_another_occurrence(self, world: World) -> None:
        issue = world.issue()
        await told(world, issue, "run:dev")
        await world.cancel(await world.run_of(issue))
        await world.work()
        assert world.labels(issue) == set()
        await told(world, issue, "run:dev", delivery_id="d-2")
        assert await world.count_runs() == 2

    async def test_two_workers_decide_a_delivery_once(self, world: World) -> None:
        issue = world.issue()
        world.put_label(issue, "run:dev")
        await world.deliver("issues", world.labeled(issue, "run:dev"))
        async with world.db.exclusive(f"intake.thread:{world.repository.forge_repository_id}:{issue}") as mine:
            assert mine
            await world.decide()
            assert await world.count_runs() == 0, "another worker is at this thread"
        await world.decide()
        assert await world.count_runs() == 1


class TestConflicts:
    """RN2: two trigger labels start nothing."""

    async def test_rn2_two_trigger_labels_are_refused_with_one_comment_and_stay(self, world: World) -> None:
        issue = world.issue()
        world.put_label(issue, "run:dev")
        first = world.labeled(issue, "run:dev")
        world.put_label(issue, "run:qa")
        await world.deliver("issues", first)
        await world.deliver("issues", world.labeled(issue, "run:qa"), delivery_id="d-2")
        await world.decide()
        await world.work()
        assert await world.count_runs() == 0
        (comment,) = world.diagnostics(issue)
        assert "`run:dev`" in comment
        assert "`run:qa`" in comment
        assert "Seen 2 times" in comment
        assert world.labels(issue) == {"run:dev", "run:qa"}
        kinds = [kind for kind, _ in await world.journal(f"thread:{world.repository.id}:{issue}")]
        assert "run.trigger.conflict.comment" in kinds

    async def test_rn2_the_conflict_comment_is_resolved_in_place_when_a_run_starts(self, world: World) -> None:
        issue = world.issue(labels=["run:qa"])
        await told(world, issue, "run:dev")
        await world.work()
        (comment,) = world.diagnostics(issue)
        world.forge.person_unlabels(world.repository.forge_repository_id, issue, "run:qa")
        world.forge.person_unlabels(world.repository.forge_repository_id, issue, "run:dev")
        await told(world, issue, "run:dev", delivery_id="d-2")
        await world.work()
        run = await world.run_of(issue)
        (comment,) = world.diagnostics(issue)
        assert f"Resolved by run-{run.number:04d}" in comment
        assert "Conflicting" not in comment


class TestStrangers:
    """RN3: whoever may not start anything is told so, and the label goes."""

    async def test_rn3_a_strangers_label_is_refused_with_a_reason_and_removed(self, world: World) -> None:
        issue = world.issue()
        world.forge.set_role(world.repository.forge_repository_id, "eve", "write")
        await told(world, issue, "run:dev", by="eve")
        await world.work()
        assert await world.count_runs() == 0
        assert world.labels(issue) == set()
        (comment,) = world.diagnostics(issue)
        assert "`sender_not_allowed`" in comment
        assert (await verdicts(world))[0][1:] == ("refuse", "sender_not_allowed")

    async def test_rn3_a_bots_label_is_refused(self, world: World) -> None:
        issue = world.issue()
        world.forge.add_account("dependabot[bot]", type="Bot")
        await told(world, issue, "run:dev", by="dependabot[bot]")
        await world.work()
        assert await world.count_runs() == 0
        assert "`sender_type_bot_not_permitted`" in world.diagnostics(issue)[0]

    async def test_rn3_closing_by_a_stranger_is_stored_and_ignored(self, world: World) -> None:
        run = await world.started()
        world.forge.set_role(world.repository.forge_repository_id, "eve", "read")
        world.forge.close(world.repository.forge_repository_id, 1)
        payload = world.labeled(1, "x", by="eve", action="closed")
        del payload["label"]
        await world.deliver("issues", payload)
        await world.decide()
        assert (await verdicts(world))[0][1:] == ("ignore", "cleanup_sender_not_permitted")
        assert (await world.fresh(run)).status is RunStatus.RUNNING
        async with world.db.reading() as reader:
            assert await reader.value("select state from threads where number = 1") == "closed"

    async def test_a_label_is_taken_off_at_most_three_times_an_hour_for_each_sender(self, world: World) -> None:
        issue = world.issue()
        for name in ("eve", "mallory"):
            world.forge.set_role(world.repository.forge_repository_id, name, "read")
        for number in range(5):
            await told(world, issue, "run:dev", by="eve", delivery_id=f"e-{number}")
            await world.work()
        assert world.calls("remove_label") == 3
        assert world.labels(issue) == {"run:dev"}
        world.forge.person_unlabels(world.repository.forge_repository_id, issue, "run:dev")
        await told(world, issue, "run:dev", by="mallory", delivery_id="m-1")
        await world.work()
        assert world.calls("remove_label") == 4, "another sender has a count of its own"
        assert len(world.diagnostics(issue)) == 2

    async def test_our_own_label_change_is_recognised_first(self, world: World) -> None:
        run = await world.deliver_result(await world.started())
        assert run.status is RunStatus.SUCCEEDED
        await world.deliver("issues", world.labeled(1, "run:dev", by="stagewright-bot", action="unlabeled"))
        await world.decide()
        assert (await verdicts(world))[0][2] == "own_label_change"
        assert world.diagnostics(1) == []


class TestFailures:
    """What cannot be decided now is decided later; what cannot be read at all hurts nobody."""

    async def test_a_failing_permission_read_leaves_the_delivery_undecided(self, world: World) -> None:
        issue = world.issue()
        world.put_label(issue, "run:dev")
        await world.deliver("issues", world.labeled(issue, "run:dev"))
        world.forge.fail("permission", NotSent("no connection"))
        await world.decide()
        assert (await verdicts(world))[0][1] == "received"
        world.clock.advance(timedelta(seconds=6))
        await world.decide()
        assert await world.count_runs() == 1

    async def test_after_ten_tries_it_is_dead_and_the_scan_repairs_the_loss(self, world: World) -> None:
        issue = world.issue()
        world.put_label(issue, "run:dev")
        await world.deliver("issues", world.labeled(issue, "run:dev"))
        world.forge.fail("thread", NotSent("no connection"), times=MOST_TRIES)
        for _ in range(MOST_TRIES):
            await world.decide()
            world.clock.advance(timedelta(minutes=11))
        assert (await verdicts(world))[0][1] == "dead"
        assert "webhook.dead" in await world.incidents()
        await world.scan()
        assert await world.count_runs() == 1

    async def test_a_closed_limit_delays_and_is_no_failed_try(self, world: World) -> None:
        issue = world.issue()
        world.put_label(issue, "run:dev")
        await world.deliver("issues", world.labeled(issue, "run:dev"))
        limit = LimitReached("slow down", retry_after=timedelta(minutes=30), code="forge.rate_limited", bucket="core")
        world.forge.fail("thread", limit)
        await world.decide()
        world.clock.advance(timedelta(minutes=20))
        calls = len(world.forge.calls)
        await world.decide()
        assert len(world.forge.calls) == calls, "nobody asks while the bucket is closed"
        world.clock.advance(timedelta(minutes=11))
        async with world.db.transaction() as tx:
            assert await tx.value("select tries from webhook_deliveries") == 0
        await world.decide()
        assert await world.count_runs() == 1

    async def test_a_delivery_our_code_breaks_on_stops_no_other(self, world: World) -> None:
        first, second = world.issue(), world.issue()
        for issue in (first, second):
            world.put_label(issue, "run:dev")
            await world.deliver("issues", world.labeled(issue, "run:dev"), delivery_id=f"d-{issue}")
        broken = BrokenOnce(world, first)
        with pytest.raises(ZeroDivisionError):
            await world.decide()
        assert broken.met
        assert await world.count_runs() == 1
        world.clock.advance(timedelta(seconds=6))
        await world.decide()
        assert await world.count_runs() == 2

    async def test_another_repositorys_payload_is_recorded_as_a_mismatch(self, world: World) -> None:
        issue = world.issue()
        world.put_label(issue, "run:dev")
        payload = world.labeled(issue, "run:dev")
        payload["repository"]["id"] = 999
        await world.deliver("issues", payload)
        await world.decide()
        assert (await verdicts(world))[0][2] == "repository_mismatch"
        assert "webhook.repository_mismatch" in await world.incidents()
        assert await world.count_runs() == 0

    @pytest.mark.parametrize(("signer", "started"), [(7, True), (8, False), (None, True)])
    async def test_an_app_speaks_only_for_the_repositories_bound_through_it(
        self, world: World, signer: int | None, started: bool
    ) -> None:
        """None: kept by a version that did not note the App."""
        bound = await through_app(world, app_id=7)
        issue = bound.issue()
        bound.put_label(issue, "run:dev")
        raw = json.dumps(bound.labeled(issue, "run:dev")).encode()
        new = NewDelivery("d-1", None, "github_app", "issues", raw, app_id=signer)
        async with world.db.transaction() as tx:
            await keep_deliveries(tx, [new], now=world.clock.now())
        await world.decide()
        assert await world.count_runs() == int(started)
        if not started:
            assert [reason for _, _, reason in await verdicts(world)] == ["repository_mismatch"]
            assert "webhook.repository_mismatch" in await world.incidents()

    @pytest.mark.parametrize("payload", [b"", b"[]", b"not json", b'{"issue": 7}', b"\xff"], ids=repr)
    async def test_what_is_no_payload_is_recorded_and_reported(self, world: World, payload: bytes) -> None:
        await world.deliver("issues", payload)
        await world.decide()
        assert (await verdicts(world))[0][1:] == ("ignore", "event_not_used")
        assert "webhook.unreadable" in await world.incidents()

    async def test_an_older_payload_never_overwrites_newer_facts(self, world: World) -> None:
        issue = world.issue()
        world.put_label(issue, "bug")
        old = world.labeled(issue, "bug")
        world.put_label(issue, "later")
        await world.deliver("issues", world.labeled(issue, "later"), delivery_id="new")
        await world.decide()
        await world.deliver("issues", old, delivery_id="old")
        await world.decide()
        async with world.db.reading() as reader:
            labels = await reader.value("select labels from threads where number = %(n)s", n=issue)
        assert labels == ["bug", "later"]


class TestUnregistered:
    """A repository nobody registered, of which an App speaks that also serves a registered one."""

    @pytest.mark.parametrize(
        ("label", "told"),
        [("run:dev", ("refuse", "repository_not_bound_for_issue_label")), ("bug", ("ignore", "repository_not_bound"))],
    )
    async def test_row_1_a_trigger_there_is_refused_and_journalled(
        self, world: World, label: str, told: tuple[str, str]
    ) -> None:
        bound = await through_app(world, app_id=7)
        elsewhere = world.forge.add_repository("acme/unregistered")
        issue = world.forge.open_issue(elsewhere.id)
        world.forge.person_labels(elsewhere.id, issue, label)
        payload = bound.labeled(bound.issue(), label)
        payload["repository"] |= {"id": elsewhere.id, "full_name": elsewhere.full_name}
        assert await through_the_apps_door(bound, payload) == 202
        await world.decide()
        await world.work()
        assert [row[1:] for row in await verdicts(world)] == [told]
        (body,) = [body for kind, body in await world.journal("webhooks") if kind == "webhook.ignored"]
        assert (body["verdict"], body["reason"]) == told
        assert (body["repository"], body["label"]) == ("acme/unregistered", label)
        assert body["binding_resolved"] is False
        thread = world.forge.repositories[elsewhere.id].threads[issue]
        assert (thread.labels, thread.comments) == ([label], []), "no credential reaches it: nothing is done there"


async def through_the_apps_door(world: World, payload: dict[str, Any]) -> int:
    """Send a delivery of the App that the repository is bound through; return the answer's status."""
    sealer = factories.a_sealer("webhook-secrets")
    async with world.db.reading() as reader:
        secret, *_ = await projects.open_app_secrets(reader, sealer=sealer, of=world.repository.id)
    raw = json.dumps(payload).encode()
    headers = {
        "content-type": "application/json",
        "x-github-event": "issues",
        "x-github-delivery": "delivery-0001",
        "x-github-hook-installation-target-id": "7",
        "x-hub-signature-256": hmac_sha256_header(secret.encode(), raw),
    }
    door = WebhookDoor(world.db, sealer=sealer, clock=world.clock, metrics=Metrics())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://gateway.test") as client:
        return (await client.post("/api/v1/webhooks/github", content=raw, headers=headers)).status_code


class BrokenOnce:
    """A bug of ours that one issue meets once."""

    def __init__(self, world: World, issue: int) -> None:
        self.met = False
        self._read = world.forge.thread
        self._issue = issue
        world.forge.thread = self  # type: ignore[method-assign]

    async def __call__(self, repository: Any, number: int) -> Any:
        if number == self._issue and not self.met:
            self.met = True
            raise ZeroDivisionError
        return await self._read(repository, number)


class TestExamples:
    """Every payload of GitHub's public examples is parsed or recorded, never an error."""

    async def test_every_public_example_is_decided(self, world: World) -> None:
        try:
            events = github_api.webhook_examples()
        except github_api.FetchFailed as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"the examples could not be fetched: {error}")
        payloads = [(event["name"], example) for event in events for example in event["examples"]]
        assert len(payloads) >= 329
        for number, (name, payload) in enumerate(payloads):
            await world.deliver(name, json.dumps(payload).encode(), delivery_id=f"x-{number:04d}")
        for _ in range(len(payloads) // 20 + 1):
            await world.decide()
        decided = await verdicts(world)
        assert len(decided) == len(payloads)
        assert {verdict for _, verdict, _ in decided} == {"ignore"}
        assert {reason for _, _, reason in decided} <= {
            "ping",
            "binding_recorded",
            "issue_event_not_trigger_label",
            "event_not_used",
            "repository_mismatch",
            "repository_not_bound",
            "repository_not_bound_for_issue_label",
            "pull_request_event_recorded",
        }
        assert "webhook.unreadable" not in await world.incidents()
        async with world.db.reading() as reader:
            assert await store.count_pending(reader) == 0
