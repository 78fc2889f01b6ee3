"""Names the platform gives: branches, titles, closing lines; and the product's languages."""

from collections.abc import Container

from stagewright.contexts.workflow.model.policy import Policy

TITLE_LIMIT = 90


def locale_of(text: str | None) -> str:
    """Return the product's language for ``text``: ``ru*`` is ``ru``, everything else ``en``."""
    return "ru" if (text or "").lower().startswith("ru") else "en"


def stage_word(kind: str, policy: Policy) -> str:
    """Return the word for a kind in branches and titles: its stage, or the kind with ``-`` for ``_``."""
    row = policy.kinds[kind]
    return row.stage or row.key.replace("_", "-")


def branch_name(policy: Policy, kind: str, *, issue: int | None, run_id: str, taken: Container[str] = ()) -> str:
    """Return the branch of a new result: ``<prefix>/issue-<n>/<stage>``, with ``-2``, ``-3``… while taken.

    Without an issue ``<prefix>/run-<last 12 hex digits>``. ``run_id`` is any text form of the run's UUID.
    """
    if issue is None:
        return f"{policy.branch_prefix}/run-{run_id.replace('-', '')[-12:]}"
    first = f"{policy.branch_prefix}/issue-{issue}/{stage_word(kind, policy)}"
    name, number = first, 1
    while name in taken:
        number += 1
        name = f"{first}-{number}"
    return name


def pull_request_title(policy: Policy, kind: str, *, issue: int | None, report_title: str) -> str:
    """Return ``#<issue> <stage>: <report title>``; the report's title is one line of at most 90 characters."""
    title = " ".join(report_title.split())
    if len(title) > TITLE_LIMIT:
        title = title[: TITLE_LIMIT - 1].rstrip() + "…"
    subject = stage_word(kind, policy) if issue is None else f"#{issue} {stage_word(kind, policy)}"
    return f"{subject}: {title}"


def closing_line(policy: Policy, kind: str, *, issue: int | None) -> str | None:
    """Return the last line of a pull request's body: ``Closes #n`` where the stage closes its issue."""
    if issue is None:
        return None
    return f"Closes #{issue}" if policy.kinds[kind].closes_issue else f"Part of #{issue}"
