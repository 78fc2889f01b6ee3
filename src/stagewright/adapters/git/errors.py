"""What can go wrong between us and the git program."""

from stagewright.kit.errors import NotFound, Unavailable

DETAIL = 2000


class GitFailed(Unavailable):
    """Git ended with an error nobody expected here. ``stderr`` is its last output; it never holds a credential."""

    code = "git.failed"

    def __init__(self, verb: str, code: int, stderr: str) -> None:
        super().__init__(f"git {verb} ended with {code}: {stderr[-DETAIL:]}")
        self.verb = verb
        self.exit_code = code
        self.stderr = stderr[-DETAIL:]


class GitTimedOut(GitFailed):
    """Git took longer than it may; its process group was killed."""


class GitBusy(Unavailable):
    """Another process works on this mirror or quarantine for longer than we wait."""

    code = "git.busy"


class QuarantineMissing(NotFound):
    """The attempt has no quarantine here: inspect its stored bundle again."""

    code = "git.quarantine_missing"
