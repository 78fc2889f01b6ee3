"""What unbinding a repository would stop, lose and leave: what a person reads before typing its name."""

from collections.abc import Sequence

from stagewright.contexts.runs.rules.cancelling import Shown


def what_unbinding_does(name: str, *, purposes: Sequence[str], runs: int, open_acts: bool) -> Shown:
    """Return the three lists of the preview of the repository called ``name``."""
    lost = [f"the stored credential for {purpose}" for purpose in purposes]
    lost.append("its webhook secrets: deliveries that still come are refused")
    if open_acts:
        lost.append("what was still to be written there: comments, labels")
    survives = [
        f"everything in {name}: branches, pull requests, labels, comments, the webhook's entry (delete it there)"
    ]
    if runs:
        survives.append(f"{runs} runs with their logs, results and journal")
    stops = [f"labels, comments and pushes of {name} start nothing any more"]
    return {"stops": stops, "lost": lost, "survives": survives}
