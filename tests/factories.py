"""One function per word: rows a test needs, with sensible values and ``**changes``."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.identity import api as identity
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.vault import api as vault
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.crypto import Keyring, Sealer
from stagewright.kit.db import Tx

KEYRING = Keyring.parse(Keyring.generate())
API_URL = "http://forge.test/api"


def a_sealer(purpose: str = "credentials") -> Sealer:
    """Return a sealer with the tests' key."""
    return Sealer(KEYRING, purpose)


async def a_project(tx: Tx, *, now: datetime, **changes: Any) -> projects.Project:
    """Create a project."""
    values = {"key": "shop", "name": "Shop", "locale": "en"} | changes
    return await projects.create_project(tx, now=now, **values)


async def an_owner(tx: Tx, *, now: datetime, github_id: int = 1, login: str = "ann") -> identity.User:
    """Make the owner, known to the forge by its number."""
    owner = await identity.ensure_owner(tx, email="ann@example.test", name="Ann", locale="en", now=now)
    return await identity.pin_github_login(tx, owner, github_id=github_id, login=login)


async def a_repository(
    tx: Tx, project: projects.Project, found: projects.ForgeRepository, *, now: datetime, bot: str = "stagewright-bot"
) -> projects.Repository:
    """Bind a repository with a token of the bot."""
    bound = await projects.bind_repository(
        tx,
        project,
        found,
        api_url=API_URL,
        binding=projects.Binding.TOKEN,
        sealer=a_sealer("webhook-secrets"),
        now=now,
    )
    for purpose in (vault.BOT, vault.MANAGEMENT):
        await vault.put_credential(
            tx,
            vault.NewCredential(
                scope=vault.CredentialScope.REPOSITORY,
                purpose=purpose,
                kind=vault.CredentialKind.TOKEN,
                secret="bot-token",
                repository_id=bound.repository.id,
                login=bot,
                login_id=2,
            ),
            sealer=a_sealer(),
            now=now,
        )
    return bound.repository


def a_known_label(repository_id: UUID, key: str, text: str | None = None) -> projects.KnownLabel:
    """Return a label as the forge was last known to have it; its text is its key unless given."""
    return projects.KnownLabel(
        repository_id=repository_id,
        key=key,
        present=True,
        text=text or key,
        color=None,
        description=None,
        aliases=(),
        changed_by=None,
        changed_at=datetime(2026, 5, 4, 12, tzinfo=UTC),
    )


def a_run_request(repository: projects.Repository, *, now: datetime, **changes: Any) -> runs.RunRequest:
    """Return a request for a dev run on issue 1."""
    policy = workflow.builtin_policy()
    issue = changes.get("issue_number", 1)
    values: dict[str, Any] = {
        "project_id": repository.project_id,
        "repository_id": repository.id,
        "lane": "work",
        "subject": f"issue:{issue}",
        "issue_number": issue,
        "pr_number": None,
        "stage": "dev",
        "kind": "dev",
        "role": "dev",
        "trigger_source": "webhook",
        "trigger_label": "run:dev",
        "requested_by_kind": "forge",
        "requested_by": "ann",
        "correlation_id": f"test:{issue}",
        "occurred_at": now,
        "policy_hash": policy.hash,
        "launch_profile": "feature",
        "mode": "code-only",
        "runtime_source": "policy_stage",
        "env": "none",
        "access_profile": "code-only",
        "limit_seconds": 3600,
        "locale": "en",
    }
    return runs.RunRequest(**(values | changes))


def a_report(**changes: Any) -> dict[str, Any]:
    """Return a valid report of a work stage."""
    report: dict[str, Any] = {
        "status": "completed",
        "summary": "Did the work.",
        "question": None,
        "tool_gaps": [],
        "escalation": None,
        "title": "Add a greeting",
        "sections": {
            "context": "The Issue asks for a greeting.",
            "done": "Added hello.py.",
            "artifacts": ["hello.py"],
            "checks": [{"name": "tests", "outcome": "passed", "detail": "all passed"}],
            "risks": "None known.",
        },
        "follow_ups": [],
        "merged_base_sha": None,
        "addressed_comments": [],
    }
    return report | changes


def a_review_report(**changes: Any) -> dict[str, Any]:
    """Return a valid report of a reviewer: it found nothing."""
    report: dict[str, Any] = {
        "status": "completed",
        "summary": "Read all of it.",
        "question": None,
        "tool_gaps": [],
        "escalation": None,
        "review": {"verdict": "looks_good", "findings": []},
    }
    return report | changes
