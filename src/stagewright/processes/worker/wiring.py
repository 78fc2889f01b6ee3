"""Which loops the worker runs, how often, and with what hands (specification: runs, section 6.4)."""

import os
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from stagewright.adapters.engines.pins import VERSIONS
from stagewright.adapters.local.workloads import LocalWorkloads
from stagewright.adapters.stack_files import MirroredTrees
from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.approvals import reconcile as approvals_pass
from stagewright.contexts.deploys import api as deploys
from stagewright.contexts.identity import api as identity
from stagewright.contexts.incidents.reconcile import sweep_old
from stagewright.contexts.intake.reconcile import deliveries, scan
from stagewright.contexts.intake.reconcile import retention as intake_retention
from stagewright.contexts.intake.reconcile.outside import Outside as IntakeOutside
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.reconcile import (
    admission,
    checks,
    comments,
    effects,
    finish,
    launch,
    retention,
    waits,
    watch,
    watchdog,
)
from stagewright.contexts.runs.reconcile.outside import Addresses, Outside
from stagewright.contexts.runs.reconcile.situation import policy_now
from stagewright.contexts.vault import api as vault
from stagewright.contexts.workflow import api as workflow
from stagewright.kit import feed
from stagewright.kit.crypto import MacSigner
from stagewright.kit.errors import NotFound
from stagewright.kit.http.limits import forget_buckets
from stagewright.kit.http.once import forget_keys
from stagewright.kit.ids import uuid7
from stagewright.kit.loops import Loop
from stagewright.kit.origins import forget_origins
from stagewright.processes.common import Platform, Purpose
from stagewright.processes.outside import Adapters, attempt_tokens
from stagewright.processes.settings import Settings
from stagewright.processes.stacks import KeptStacks
from stagewright.processes.stored_settings import (
    RETENTION_BODIES,
    RETENTION_DELIVERIES,
    RETENTION_INCIDENTS,
    RETENTION_JOURNAL,
    RETENTION_LOGS,
)
from stagewright.processes.worker import verification

SECOND = timedelta(seconds=1)
JOURNAL_DAYS = 10  # at most so many in one pass
MOST_ORIGINS = 5000


def worker_name() -> str:
    """Return a name that no other start of any worker has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid7().hex[-8:]}"


EAGER = frozenset(
    {
        "intake.deliveries",
        "runs.admission",
        "runs.launch",
        "runs.checks",
        "runs.finish",
        "runs.waits",
        "effects.perform",
    }
)
"""Loops that run at once when the journal's bell rings; the others keep their own time."""


async def make_loops(platform: Platform, adapters: Adapters) -> list[Loop]:
    """Return every loop of the worker."""
    hands = await runs_hands(platform, adapters)
    intake = intake_hands(platform, adapters, hands)

    def loop(name: str, duty: Callable[[], Awaitable[int]], every: timedelta, *, batch: int | None = None) -> Loop:
        return Loop(
            name,
            duty,
            every,
            batch=batch,
            clock=platform.clock,
            metrics=platform.metrics,
            on_error=platform.report_loop,
        )

    return [
        loop("intake.deliveries", lambda: deliveries.decide_deliveries(intake), SECOND, batch=deliveries.BATCH),
        loop("intake.deferred", lambda: scan.decide_deferred(intake), 5 * SECOND),
        loop("intake.scan", lambda: scan.scan_repositories(intake), 15 * SECOND),
        loop("runs.admission", lambda: admission.admit_queued(hands), SECOND, batch=admission.BATCH),
        loop("runs.launch", lambda: launch.launch_preparing(hands), SECOND, batch=launch.BATCH),
        loop("runs.watch", lambda: watch.watch_attempts(hands), 2 * SECOND),
        loop("runs.checks", lambda: checks.check_proposals(hands), SECOND, batch=checks.BATCH),
        loop("runs.finish", lambda: finish.finish_accepted(hands), SECOND, batch=finish.BATCH),
        loop("runs.waits", lambda: waits.settle_waits(hands), 5 * SECOND, batch=waits.BATCH),
        loop(
            "approvals.expire",
            lambda: approvals_pass.expire_requests(platform.db, platform.clock),
            15 * SECOND,
            batch=approvals_pass.BATCH,
        ),
        loop("effects.perform", lambda: effects.perform_reserved(hands), SECOND / 2, batch=effects.BATCH),
        loop("effects.resolve", lambda: effects.resolve_unknown(hands), 5 * SECOND, batch=effects.BATCH),
        loop("runs.comments", lambda: comments.publish_status(hands), 2 * SECOND),
        loop("runs.beat", lambda: watchdog.beat(hands), 15 * SECOND),
        loop("runs.watchdog", lambda: watchdog.watch_invariants(hands), 60 * SECOND),
        loop("runs.sweep", lambda: watch.sweep_workloads(hands), 60 * SECOND),
        loop(
            "intake.retention",
            lambda: forget_deliveries(platform, intake),
            3600 * SECOND,
            batch=intake_retention.BATCH,
        ),
        loop("runs.retention", lambda: forget_ended(platform, hands), 3600 * SECOND, batch=retention.BATCH),
        loop("requests.retention", lambda: forget_requests(platform), 3600 * SECOND),
        loop("journal.partitions", lambda: retention.make_partitions(hands), 3600 * SECOND),
        loop("journal.retention", lambda: forget_journal(platform), 3600 * SECOND, batch=JOURNAL_DAYS),
        loop(verification.NAME, lambda: verification.verify_journal(platform), verification.EVERY),
        loop("runs.quarantines", lambda: retention.sweep_quarantines(hands), 600 * SECOND),
    ]


async def forget_deliveries(platform: Platform, intake: IntakeOutside) -> int:
    """Forget deliveries as long ago as the installation's settings say."""
    return await intake_retention.sweep_deliveries(
        intake,
        bodies_kept=await platform.stored.length(RETENTION_BODIES),
        rows_kept=await platform.stored.length(RETENTION_DELIVERIES),
    )


async def forget_ended(platform: Platform, hands: Outside) -> int:
    """Forget what runs left, as long ago as the installation's settings say."""
    return await retention.sweep_ended(hands, kept=await platform.stored.length(RETENTION_LOGS))


async def forget_requests(platform: Platform) -> int:
    """Forget answers kept for repeated requests, full rate buckets, ended sessions, old incidents, old origins."""
    now = platform.clock.now()
    before = now - await platform.stored.length(RETENTION_JOURNAL)
    async with platform.db.transaction() as tx:
        done = await forget_keys(tx, now=now) + await forget_buckets(tx, now=now)
        done += await identity.forget_ended(tx, now=now)
        done += await forget_origins(tx, before=before, limit=MOST_ORIGINS)
    kept = await platform.stored.length(RETENTION_INCIDENTS)
    return done + await sweep_old(platform.db, platform.clock, kept=kept)


async def forget_journal(platform: Platform) -> int:
    """Forget the journal's oldest days, one worker at a time, and note its size."""
    async with platform.db.reading() as reader:
        platform.metrics.journal_size_bytes.set(await feed.journal_size(reader))
    async with platform.db.exclusive("journal.retention") as mine:
        if not mine:
            return 0
        kept = await platform.stored.length(RETENTION_JOURNAL)
        return await feed.forget_days(platform.db, now=platform.clock.now(), kept=kept, most=JOURNAL_DAYS)


async def runs_hands(platform: Platform, adapters: Adapters) -> Outside:
    """Return what the passes over runs reach."""
    settings = platform.settings
    tokens = await attempt_tokens(platform)
    if settings.controlplane_url is None or settings.tools_url is None or settings.relay_url is None:
        raise NotFound("the addresses for workloads are not known: set CONTROLPLANE_URL, TOOLS_URL and RELAY_URL")

    async def engines_available(project_id: UUID, repository_id: UUID) -> frozenset[str]:
        async with platform.db.reading() as reader:
            return await vault.engines_with_credential(reader, project_id=project_id, repository_id=repository_id)

    return Outside(
        db=platform.db,
        clock=platform.clock,
        forge=adapters.forge,
        git=adapters.git,
        trees=MirroredTrees(adapters.git),
        workloads=LocalWorkloads(settings.data_dir),
        addresses=Addresses(
            controlplane_url=settings.controlplane_url,
            tools_url=settings.tools_url,
            relay_url=settings.relay_url,
            public_url=settings.public_url,
        ),
        worker_id=worker_name(),
        workload_kind="local",
        mint_tokens=tokens.mint,
        find_secrets=lambda data: [finding.kind for finding in platform.redactor.find(data)],
        redact=platform.redactor.to("prompts"),
        sealer=platform.sealer(Purpose.AGENT_SESSIONS),
        signer=MacSigner(platform.keyring, approvals.PURPOSE),
        engines_available=engines_available,
        engine_versions=VERSIONS,
        stack_platform=stack_platform(settings),
    )


def stack_platform(settings: Settings) -> deploys.Platform:
    """Return the settings that stacks may read. What is not set stands for itself under `.invalid` (RFC 2606), so that
    a stack is no mistake only because this installation cannot run it yet."""
    return deploys.Platform(
        domain=urlsplit(settings.public_url).hostname,
        candidate_domain=settings.candidate_domain or "candidates.invalid",
        registry=settings.registry or "registry.invalid",
        ingress_class=settings.ingress_class or "none",
        reserved_namespaces=frozenset(settings.reserved_namespaces),
    )


def intake_hands(platform: Platform, adapters: Adapters, hands: Outside) -> IntakeOutside:
    """Return what the passes over deliveries reach."""

    async def read_policy(repository: projects.Repository) -> workflow.Policy:
        return await policy_now(hands, repository)

    return IntakeOutside(
        db=platform.db,
        clock=platform.clock,
        threads=adapters.threads,
        refresh_policy=read_policy,
        engines_available=hands.engines_available,
        stacks=KeptStacks(platform.db),
    )
