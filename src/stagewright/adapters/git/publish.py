"""The one push of a run: exactly one commit to exactly one branch, over nothing but what was expected there."""

import re
from collections.abc import Iterable
from pathlib import Path

from stagewright.adapters.git.mirrors import Mirrors, check_sha
from stagewright.adapters.git.remote import BRANCH, Remote
from stagewright.contexts.projects.model import Repository
from stagewright.contexts.runs.errors import OutcomeUnknown
from stagewright.contexts.runs.ports import PushAnswer
from stagewright.kit.errors import Invalid

BRANCH_NAME = re.compile(r"(?!.*(\.\.|//|@\{|\.lock(/|$)|/\.))[A-Za-z0-9_][A-Za-z0-9_./+@-]{0,199}(?<![./])")
LOST = ("remote failure", "failed to report status")
MOVED = ("stale info", "fetch first", "non-fast-forward", "but expected", "reference already exists")


class Publisher:
    """Pushes from a quarantine. Only what the commit reaches and the remote lacks is sent."""

    def __init__(self, mirrors: Mirrors, remote: Remote) -> None:
        self._mirrors = mirrors
        self._remote = remote

    async def push(
        self,
        repository: Repository,
        folder: Path,
        commit: str,
        branch: str,
        expected_old: str | None,
        *,
        direct: bool = False,
    ) -> PushAnswer:
        """Push and say how it ended; never forces, deletes, tags, or touches the default branch unless ``direct``."""
        _check_branch(branch)
        check_sha(commit)
        remote = await self._remote.advertised(repository, folder)
        if branch in (repository.default_branch, remote.default_branch) and not direct:
            return PushAnswer("refused", detail=f"{branch} is the default branch; results go to a branch of their own")
        there = remote.heads.get(branch)
        if there == commit:
            return PushAnswer("done", commit)
        if there != expected_old:
            return PushAnswer("moved", there)
        if there is not None:
            await self._mirrors.hold(repository, [there])
            if not await self._mirrors.is_ancestor(folder, there, commit):
                return PushAnswer("refused", there, "the commit does not descend from the branch; nothing is forced")
        return await self._push(repository, folder, commit, branch, expected_old)

    async def _push(
        self, repository: Repository, folder: Path, commit: str, branch: str, expected_old: str | None
    ) -> PushAnswer:
        ref = f"{BRANCH}{branch}"
        lease = f"--force-with-lease={ref}:{expected_old or ''}"
        options = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", "--no-signed", "--thin")
        output = await self._remote.push(repository, folder, (*options, lease, repository.clone_url, f"{commit}:{ref}"))
        flag, summary = _report(output.out.decode("utf-8", "replace").splitlines(), ref)
        if flag in (" ", "*", "="):
            return PushAnswer("done", commit)
        if flag != "!" or any(text in summary.lower() for text in LOST):
            raise OutcomeUnknown(f"git push gave no report: {output.err[-500:]}")
        if any(text in f"{summary} {output.err}".lower() for text in MOVED):
            now = (await self._remote.advertised(repository, folder)).heads.get(branch)
            return PushAnswer("done" if now == commit else "moved", now, summary)
        return PushAnswer("refused", expected_old, f"{summary}: {output.err[-500:]}")


def _report(lines: Iterable[str], ref: str) -> tuple[str, str]:
    """Find the line of ``--porcelain`` about ``ref``: its flag and summary."""
    for line in lines:
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if len(flag) == 1 and names.endswith(f":{ref}"):
            return flag, summary
    return "", ""


def _check_branch(branch: str) -> None:
    if not BRANCH_NAME.fullmatch(branch):
        raise Invalid(f"{branch!r} is no branch name a run may have; use letters, digits, '-', '_', '.' and '/'")
