"""Write every cell of the next steps as text: ``python -m tests.unit.workflow.golden`` prints the golden page anew."""

import sys
from collections.abc import Iterator

from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    FinishedRun,
    NextStep,
    ProfileSource,
    StoredProfile,
    deep_link,
    next_steps,
    step_text,
)

POLICY = a_policy()
PUBLIC_URL, REPOSITORY, ISSUE, PULL_REQUEST, RUN = "https://sw.example", "acme/shop", 12, 40, "0196"
PROVISIONAL = "provisional"
COLUMNS = (PROVISIONAL, *POLICY.profiles.order)
ROWS = (*(stage.replace("-", "_") for stage in POLICY.stages), "rethink")
SOURCES = tuple(source for source in ProfileSource if source is not ProfileSource.DEFAULT)


def of(kind: str, stored: StoredProfile | None) -> tuple[NextStep, ...]:
    """Return the steps after a success with an open pull request."""
    return next_steps(FinishedRun(kind, has_open_link=True, profile=stored), POLICY)


def stored_as(column: str) -> Iterator[StoredProfile | None]:
    """Yield every stored profile that ``column`` stands for."""
    if column == PROVISIONAL:
        yield None
        yield from (StoredProfile(profile, ProfileSource.DEFAULT) for profile in POLICY.profiles.order)
    else:
        yield from (StoredProfile(column, source) for source in SOURCES)


def link(step: NextStep) -> str:
    """Return the step's deep link on the platform of the page."""
    on_pull = step.action_kind == "pull_request_label_add"
    url = deep_link(
        PUBLIC_URL, step, repository=REPOSITORY, issue=ISSUE, pull_request=PULL_REQUEST if on_pull else None, run_id=RUN
    )
    return str(url)


def cell(kind: str, column: str, stored: StoredProfile | None) -> list[str]:
    """Return the lines of one cell."""
    lines = [f"{kind} | {column}"]
    for step in of(kind, stored):
        mark = "*" if step.recommended else ""
        lines.append(f"  {step.group.value}: {step.target} [{step.variant}]{mark}")
        lines += [f"    {locale}: {step_text(step, locale, POLICY)}" for locale in ("en", "ru")]
    return lines


def links() -> list[str]:
    """Return the deep link of every step there is, once each."""
    steps = [step for kind in ROWS for column in COLUMNS for stored in stored_as(column) for step in of(kind, stored)]
    return sorted({link(step) for step in steps})


def page() -> str:
    """Return the whole page."""
    lines = [line for kind in ROWS for column in COLUMNS for line in cell(kind, column, next(stored_as(column)))]
    return "\n".join([*lines, "", "links", *(f"  {url}" for url in links())]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
