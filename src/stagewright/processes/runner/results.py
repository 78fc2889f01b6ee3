"""From the end of a turn to an accepted result: report, commit, early checks, proposal, verdict, repairs."""

import asyncio
import hashlib
import importlib
import json
import shutil
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from stagewright.processes.runner import words
from stagewright.processes.runner.control import Control
from stagewright.processes.runner.door import Door
from stagewright.processes.runner.failures import AttemptOver, Failed, NotTaken, Outcome
from stagewright.processes.runner.git import GitFailed
from stagewright.processes.runner.outbox import Outbox
from stagewright.processes.runner.scope import Advice, advise
from stagewright.processes.runner.sessions import LARGEST_BUNDLE
from stagewright.processes.runner.workspace import Ready
from stagewright.processes.runner.worktree import RESULT_REF
from stagewright.wire.v1 import assignment_pb2, result_pb2

VERDICT_SECONDS = 120.0
MOST_PROPOSALS = 2
REPORTS = "stagewright.processes.runner.reports"


@dataclass(frozen=True, slots=True)
class Result:
    """What is ready to be proposed."""

    report: dict[str, Any]
    bundle: bytes


class _Repair(Exception):
    """The agent gets one more turn with this prompt."""


class Results:
    """Drives turns until a result is taken. Each of report, tree and verdict may cost one repair turn."""

    def __init__(
        self, assignment: assignment_pb2.Assignment, ready: Ready, door: Door, outbox: Outbox, control: Control
    ) -> None:
        self._assignment = assignment
        self._driver = ready.driver
        self._tree = ready.tree
        self._keeper = ready.keeper
        self._door = door
        self._outbox = outbox
        self._control = control
        self._report_mended = self._tree_mended = self._gaps_told = False
        self._proposals = 0

    async def obtain(self, prompt: str) -> Outcome:
        """Return ``completed`` once a result was handed over. Raises ``AttemptOver`` otherwise."""
        reports = asyncio.create_task(asyncio.to_thread(importlib.import_module, REPORTS))  # slow, not needed before
        try:
            while True:
                text = await self._driver.turn(words.with_notices(self._control.new_notices(), prompt))
                await self._keeper.save("turn")
                if self._control.waits:
                    raise AttemptOver("parked")
                try:
                    await self._hand_over(await self._result(text, await reports))
                    return Outcome("completed")
                except _Repair as repair:
                    prompt = str(repair)
                    await self._outbox.log("runner", f"repair turn: {prompt}\n".encode())
        finally:
            reports.cancel()

    async def _result(self, text: str | None, reports: ModuleType) -> Result:
        """Check the report and the tree early; ask for a repair where there is one left."""
        try:
            report: dict[str, Any] = reports.parse_report(text, self._assignment.report_schema)
        except reports.ReportInvalid as error:
            if self._report_mended:
                raise Failed("report_invalid", str(error)) from error
            self._report_mended = True
            raise _Repair(words.mend_report(str(error))) from error
        self._tell_gaps(report)
        if report.get("status", "completed") != "completed":
            return Result(report, b"")  # a question or a refusal; unfinished work is in the session
        return await self._with_tree(report)

    async def _with_tree(self, report: dict[str, Any]) -> Result:
        message = str(report.get("title") or f"Result of {self._assignment.run_number}")
        paths: list[str] = []
        bundle = b""
        try:
            snapshot = await self._tree.snapshot(RESULT_REF, message)
            if snapshot.changed:
                paths = await self._tree.changed_paths(snapshot.commit)
                bundle = await self._tree.bundle(RESULT_REF)
            advice = self._advice(paths, len(bundle))
        except GitFailed as error:
            advice = (Advice("tree_invalid", f"git cannot commit the work tree: {error}"),)
        if advice and not self._tree_mended:
            self._tree_mended = True
            raise _Repair(words.mend_tree(advice))
        if failed := next((item for item in advice if item.code in ("tree_invalid", "size_limit")), None):
            raise Failed(failed.code, failed.message)
        return Result(report, bundle)

    def _advice(self, paths: list[str], size: int) -> tuple[Advice, ...]:
        assignment = self._assignment
        largest = assignment.max_bundle_bytes or LARGEST_BUNDLE
        allow, protected = assignment.scope_allow, assignment.protected_paths
        found = advise(paths, scope_any=assignment.scope_any, allow=allow, protected=protected)
        if size > largest:
            found += (Advice("size_limit", f"The changes take {size} bytes, at most {largest} are taken."),)
        return found

    async def _hand_over(self, result: Result) -> None:
        """Propose and wait for the verdict. No verdict in time is the platform's to settle: the result is stored."""
        self._proposals += 1
        number = self._proposals
        header = result_pb2.ProposeResultHeader(
            proposal_no=number,
            report=json.dumps(result.report, ensure_ascii=False),
            bundle_bytes=len(result.bundle),
            bundle_sha256=hashlib.sha256(result.bundle).hexdigest() if result.bundle else "",
        )
        try:
            await self._door.propose(header, result.bundle)
        except NotTaken as error:
            code = "size_limit" if error.code == "too_large" else "engine_error"
            raise Failed(code, f"the platform did not take the result: {error}") from error
        verdict = await self._verdict(number)
        if verdict is not None and not verdict.accepted:
            self._rejected(verdict)

    async def _verdict(self, number: int) -> result_pb2.ResultChecked | None:
        verdicts = self._control.verdicts
        try:
            async with asyncio.timeout(VERDICT_SECONDS):
                await self._control.until(lambda: number in verdicts)
        except TimeoutError:
            await self._outbox.log("runner", f"no verdict on proposal {number} within 120 s\n".encode())
        return verdicts.get(number)

    def _rejected(self, verdict: result_pb2.ResultChecked) -> None:
        found = [(item.code, item.message, list(item.paths)) for item in verdict.violations]
        if verdict.may_repair and self._proposals < MOST_PROPOSALS:
            raise _Repair(words.mend_result(found))
        code = found[0][0] if found else "report_invalid"
        raise Failed(code, "; ".join(f"{one}: {message}" for one, message, _ in found))

    def _tell_gaps(self, report: dict[str, Any]) -> None:
        listed = report.get("tool_gaps")
        self._driver.gaps.reported(listed if isinstance(listed, list) else [])
        missing = self._driver.gaps.missing(shutil.which)
        if missing and not self._gaps_told:
            self._gaps_told = True
            sources = sorted({source for found in missing.values() for source in found})
            self._outbox.event(
                "run.toolchain.gap_detected", tool_gaps=list(missing), sources=sources, suggested_update_paths=[]
            )
