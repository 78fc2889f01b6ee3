"""`stagewright demo`: from a label to a pull request on this machine, by the real processes and the real REST API."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from stagewright.adapters.local.workloads import LocalWorkloads
from stagewright.kit.errors import StagewrightError
from stagewright.kit.postgres import EmbeddedPostgres
from stagewright.kit.settings import data_dir_default, make_data_dir
from stagewright.processes.cli import contexts
from stagewright.processes.cli.call import Call
from stagewright.processes.cli.client import Client
from stagewright.processes.cli.exits import FAILED, INTERRUPTED, NOT_FOUND, Ended, Failure
from stagewright.processes.cli.feed import LogTail, Patience, TimedOut
from stagewright.processes.cli.ids import project_id
from stagewright.processes.cli.local import place, sample
from stagewright.processes.cli.local.child import CLI_PREFIX, last_lines
from stagewright.processes.cli.local.installation import Running, Wish, installed
from stagewright.processes.cli.local.practice import Owner, forge_spec, plant
from stagewright.processes.cli.local.up import stop_on_signal, tell
from stagewright.processes.cli.present.progress import Lines, Spinner, make_progress
from stagewright.processes.cli.repositories import bind
from stagewright.processes.cli.runs import words
from stagewright.processes.cli.runs.following import Follower
from stagewright.processes.settings import PREFIX

CONTEXT = "demo"
FOLDER = "demo"
STEP_WITHIN = 60.0  # seconds a single step may take before the demo gives up
LOOK_EVERY = 0.25
IN_REVIEW = "state:in-review"
SHOWN_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the demo made, for the last words."""

    run: Mapping[str, Any]
    owner: Owner
    pull: Mapping[str, Any]
    seconds: float


def run_demo(call: Call, *, keep: bool, stay: bool, verbose: bool) -> None:
    """Play the demo; stay until Ctrl-C when a person may want to look around."""
    began = time.monotonic()
    with stop_on_signal() as stopping, _folder(call.environ, keep=keep) as data:
        wish = Wish(environ=_own_environ(call.environ), data=data, port=0, context=CONTEXT)
        show = tell if verbose else None
        try:
            with make_progress(call) as progress:
                stack = installed(wish, say=progress.say, stopping=stopping, show=show, tick=progress.tick)
                with stack as running, _Story(call, running, progress) as story:
                    outcome = story.play(began)
                    running.tree.tick = None
                    progress.close()
                    for line in last_words(outcome, stay=stay, console=running.sign_in_link):
                        print(line, flush=True)
                    while stay and running.tree.pause(3600):
                        continue
        finally:
            _stop_workloads(data)
            _forget_context(call.environ)


def _own_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without settings of another installation: the demo touches no other database."""
    return {
        name: value for name, value in environ.items() if not name.startswith(PREFIX) or name.startswith(CLI_PREFIX)
    }


@contextmanager
def _folder(environ: Mapping[str, str], *, keep: bool) -> Iterator[Path]:
    """Give the demo a folder: thrown away afterwards, kept with ``keep``, and kept when something failed."""
    if keep:
        given = environ.get(f"{PREFIX}DATA_DIR", "").strip()
        data = make_data_dir(Path(given) if given else data_dir_default()) / FOLDER
        _clear(data)
        data.mkdir()
    else:
        data = Path(tempfile.mkdtemp(prefix="stagewright-demo-"))
    try:
        yield data
    except (Failure, StagewrightError):
        if (data / "logs").exists():
            tell(f"everything is kept in {data}; logs in {data / 'logs'}")
        else:
            _throw_away(data, keep=False)
        raise
    except BaseException:
        _throw_away(data, keep=keep)
        raise
    _throw_away(data, keep=keep)


def _throw_away(data: Path, *, keep: bool) -> None:
    if keep:
        tell(f"kept in {data}; the next `demo --keep` replaces it")
    else:
        shutil.rmtree(data, ignore_errors=True)


def _clear(data: Path) -> None:
    """Remove what an earlier demo kept; one that runs is left alone and named."""
    if not data.exists():
        return
    with place.only_one(data):
        EmbeddedPostgres.start_or_adopt(data).stop()  # a killed demo may have left its server
        shutil.rmtree(data)


def _stop_workloads(data: Path) -> None:
    """End agents that an interrupted demo left: nobody will take them up again."""
    if data.exists():
        asyncio.run(_delete_all(LocalWorkloads(data)))


async def _delete_all(workloads: LocalWorkloads) -> None:
    for name in await workloads.list_names():
        await workloads.delete(name)


def _forget_context(environ: Mapping[str, str]) -> None:
    """Remove the demo's context: its server is gone."""
    folder = contexts.config_dir(environ)
    if CONTEXT in contexts.read(folder)["contexts"]:
        contexts.drop(folder, CONTEXT)


class _Story:
    """The steps from an empty forge to a pull request, each with a deadline."""

    def __init__(self, call: Call, running: Running, progress: Lines | Spinner) -> None:
        self._call = Call(environ=call.environ, context=CONTEXT, debug=call.debug, plain=call.plain)
        self._running = running
        self._progress = progress
        self._client: Client = self._call.client()
        self._owner: Owner | None = None

    def __enter__(self) -> "_Story":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close connections."""
        self._call.close()
        if self._owner is not None:
            self._owner.close()

    def play(self, began: float) -> Outcome:
        """Tell the whole story."""
        owner = self._open_forge()
        self._bind(owner)
        issue = owner.planted.issue_number
        owner.set_label(issue, sample.LABEL)
        self._progress.say(f"{owner.planted.owner} set {sample.LABEL} on issue #{issue}")
        run = self._follow(self._first_run())
        pull = self._pull_request(owner, run, issue)
        return Outcome(run=run, owner=owner, pull=pull, seconds=time.monotonic() - began)

    def _open_forge(self) -> Owner:
        tree, data = self._running.tree, self._running.data
        port = place.free_port()
        environ = _own_environ(self._call.environ)
        tree.start(forge_spec(environ, data / "forge", port))
        if not tree.wait_ready(["forge"]):
            raise Ended(INTERRUPTED)
        planted = plant(f"http://{place.LOOPBACK}:{port}")
        self._progress.say(f"practice forge with {planted.full_name} and an issue: {planted.issue_url}")
        self._owner = Owner(planted)
        return self._owner

    def _bind(self, owner: Owner) -> None:
        planted = owner.planted
        bound = bind(
            self._client,
            str(project_id(self._call, needed=True)),
            planted.full_name,
            access={"token": planted.bot_token},
            api_url=planted.api_url,
            owner_login=planted.owner,
        )
        owner.add_webhook(bound["webhook_url"], bound["webhook_secret"], bound["webhook_events"])
        self._progress.say(f"bound {planted.full_name} as `repo add` does, and added the webhook")
        self._until(lambda: len(owner.label_names()) >= bound["labels"], "the labels are created")
        self._progress.say(f"{bound['labels']} labels are there")

    def _first_run(self) -> str:
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self._client.items("/runs", limit=1).found
            return bool(found)

        self._until(look, "the label becomes a run")
        return str(found[0]["id"])

    def _follow(self, run_id: str) -> Mapping[str, Any]:
        patience = Patience(self._progress.say, timedelta(seconds=STEP_WITHIN), every=2 * LOOK_EVERY, sleep=self._rest)
        follower = Follower(self._call, run_id, patience)
        follower.begin(quiet=True)
        try:
            while True:
                for line in [*follower.history(), *follower.changes()]:
                    self._progress.say(f"{follower.run['number']} {line}")
                self._progress.now(follower.phase())
                if follower.ended:
                    break
                follower.rest()
        except TimedOut:
            raise self._failed(f"{follower.phase()} after {STEP_WITHIN:.0f} s") from None
        if follower.run["status"] != "succeeded":
            run = follower.run
            detail = run.get("detail") or ""
            raise self._failed(f"the run {run['status']} ({words.why(run)}) {detail}".rstrip(), run_id)
        return follower.run

    def _pull_request(self, owner: Owner, run: Mapping[str, Any], issue: int) -> Mapping[str, Any]:
        link = run.get("pull_request")
        if link is None:
            raise self._failed("the run succeeded without a pull request")
        self._until(lambda: IN_REVIEW in owner.labels_of(issue), f"issue #{issue} shows {IN_REVIEW}")
        pull = owner.pull(link["pr_number"])
        if pull["state"] != "open":
            raise self._failed(f"pull request #{pull['number']} is {pull['state']}")
        return pull

    def _until(self, look: Callable[[], bool], what: str) -> None:
        self._progress.now(f"waiting until {what}")
        until = time.monotonic() + STEP_WITHIN
        while not look():
            if time.monotonic() > until:
                raise self._failed(f"not within {STEP_WITHIN:.0f} s: {what}")
            self._rest(LOOK_EVERY)

    def _rest(self, seconds: float) -> None:
        if not self._running.tree.pause(seconds):
            raise Ended(INTERRUPTED)

    def _failed(self, why: str, run_id: str | None = None) -> Failure:
        lines = [why]
        if run_id is not None:
            lines += [f"  engine | {line}" for line in self._engine_log(run_id)]
        for name in ("worker", "controlplane"):
            found = last_lines(self._running.data / "logs" / f"{name}.log", SHOWN_LINES)
            lines += [f"  {name} | {line}" for line in found]
        return Failure(FAILED, "\n".join(lines))

    def _engine_log(self, run_id: str) -> list[str]:
        try:
            return LogTail(self._client, run_id, "engine").begin(tail=SHOWN_LINES).splitlines()
        except Failure as failure:
            return [] if failure.code == NOT_FOUND else [failure.message]


def last_words(outcome: Outcome, *, stay: bool, console: str | None = None) -> list[str]:
    """Return where to look, and what to try next."""
    run, pull, planted = outcome.run, outcome.pull, outcome.owner.planted
    lines = [
        "",
        f"From a label to a pull request in {outcome.seconds:.0f} s.",
        "",
        f"  Pull request   {pull['html_url']}",
        f"  Its diff       {pull['html_url']}.diff",
        f"  The issue      {planted.issue_url}   ({IN_REVIEW})",
        f"  Its comment    {run.get('status_comment_url') or planted.issue_url}",
        f"  The forge      {planted.web_url}",
        "",
    ]
    if not stay:
        return [*lines, *_diff(outcome), "Run it in a terminal, or with --stay, to look around."]
    number = run["number"]
    commands = [f"run {verb} {number}" for verb in ("view", "events", "logs", "prompt", "result")]
    return [
        *lines,
        *_console(console),
        "Try next, in another terminal:",
        *(f"  stagewright --context {CONTEXT} {command}" for command in (*commands, "label list " + planted.full_name)),
        f"  open {planted.web_url}/issues/new, write an issue and set {sample.LABEL} on it",
        "",
        "Ctrl-C ends the demo.",
    ]


def _console(link: str | None) -> list[str]:
    if link is None:
        return []
    return [
        f"  The console    {link}",
        "                 (signs you in once, within 15 minutes; then: stagewright --context demo open)",
        "",
    ]


def _diff(outcome: Outcome) -> list[str]:
    return [*outcome.owner.diff(outcome.pull["number"]).splitlines(), ""]
