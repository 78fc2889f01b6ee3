"""The CLI engines under contract: each as the pinned real program and as a replay of its recorded output.

Cases are written once, in neutral actions, and compiled for each model stub. Record anew, with the CLIs installed, by
``STAGEWRIGHT_RECORD_ENGINES=1 pytest tests/contract/engines -m engines``.
"""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.engines.jobs import REPORT_SCHEMA
from tests.fakes.messages_stub import MessagesStub
from tests.fakes.model_stub import Action, ModelStub, Scenario
from tests.fakes.responses_stub import ResponsesStub
from tools.engines import bin_dir, installed

HERE = Path(__file__).parent
RECORDINGS = HERE / "recordings"
RECORDING = bool(os.environ.get("STAGEWRIGHT_RECORD_ENGINES"))
REPORT: dict[str, Any] = {
    "status": "completed",
    "title": "Say hello",
    "summary": "Wrote hello.py.",
    "question": None,
    "sections": {"context": "asked", "artifacts": ["hello.py"], "risks": None},
    "tool_gaps": [],
}
assert set(REPORT) == set(REPORT_SCHEMA["required"])

Steps = Sequence[Sequence[Action]]
PATCHED = "print('hello')\n"
CASES: Mapping[str, Steps] = {
    "fresh": [
        [{"say": "Looking around."}, {"shell": "ls README.md; no-such-program-here"}],
        [{"edit": "hello.py", "content": PATCHED}],
        [{"tool": "issue_get", "args": {"number": 7}}],
        [{"tool": "label_set", "args": {}}],
        [{"answer": REPORT}],
    ],
    "first": [[{"shell": "echo one"}], [{"answer": REPORT}]],
    "resumed": [[{"shell": "echo two"}], [{"answer": {**REPORT, "summary": "Went on."}}]],
    "slow": [[{"shell": "echo begun > ../begun; python3 -c 'import time; time.sleep(60)'"}], [{"answer": REPORT}]],
    "revived": [[{"answer": {**REPORT, "summary": "Came back."}}]],
    "invalid-report": [[{"talk": "I am done, no JSON from me."}]],
    "bad-credential": [[{"fail": 401, "code": "invalid_api_key", "text": "Incorrect API key provided"}]],
    "rate-limited": [[{"fail": 429, "code": "rate_limit_exceeded", "text": "Rate limit reached"}]],
    "budget": [[{"fail": 402, "code": "budget", "text": "the run's budget is used up"}]],
    "overloaded": [[{"fail": 500, "code": "server_error", "text": "overloaded"}]],
    "context-full": [[{"full": True}]],
    "recovers": [[{"fail": 500, "times": 2}, {"answer": REPORT}]],
    "mcp-down": [[{"answer": REPORT}]],
    "mcp-refuses": [[{"answer": REPORT}]],
    "provider-down": [[{"answer": REPORT}]],
    "environment": [[{"shell": "env; tr '\\0' '\\n' < /proc/$PPID/environ"}], [{"answer": REPORT}]],
}


@dataclass(frozen=True)
class Cli:
    """One CLI under test. A replay answers from recordings and needs neither model nor tools."""

    name: str
    real: bool

    def missing(self) -> str:
        """Return why it cannot be tested here, empty when it can."""
        if self.real and not installed(self.name):
            return f"the pinned {self.name} CLI is not installed: run `make test-engines`"
        return ""

    def path(self, folder: Path) -> str:
        """Return a PATH on which the program is found; a replay is put into ``folder``."""
        if self.real:
            return f"{bin_dir()}:{os.environ['PATH']}"
        shim = folder / "bin" / self.name
        if not shim.exists():
            shim.parent.mkdir(parents=True, exist_ok=True)
            words = [sys.executable, "-B", str(HERE / "replay.py"), str(RECORDINGS / self.name)]
            shim.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            shim.chmod(0o755)
        return f"{shim.parent}:{os.environ['PATH']}"

    def stub(self, repo: Path, *, key: str = "") -> ModelStub:
        """Return the model this CLI talks to, with all cases."""
        scenarios = {name: [_compiled(self.name, step, repo) for step in steps] for name, steps in CASES.items()}
        return ResponsesStub(scenarios, key) if self.name == "codex" else MessagesStub(scenarios, key)

    def model_url(self, stub_url: str) -> str:
        """Return the base URL the engine gets."""
        return f"{stub_url}/v1" if self.name == "codex" else stub_url


def _compiled(name: str, step: Sequence[Action], repo: Path) -> Sequence[Action]:
    return [_for_codex(action) if name == "codex" else _for_claude(action, repo) for action in step]


def _for_codex(action: Action) -> Action:
    match action:
        case {"say": text} | {"talk": text}:
            return {"message": text}
        case {"answer": report}:
            return {"message": json.dumps(report)}
        case {"full": True}:
            return {"sse_fail": "context_length_exceeded", "text": "Your input exceeds the context window"}
        case {"shell": command}:
            return {"function": "exec_command", "args": {"cmd": command, "login": False, "yield_time_ms": 30_000}}
        case {"edit": path, "content": content}:
            lines = "".join(f"+{line}\n" for line in str(content).splitlines())
            return {"custom": "apply_patch", "input": f"*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch\n"}
        case {"tool": tool, "args": args}:
            return {"function": tool, "namespace": "mcp__governed", "args": args}
        case _:
            return action


def _for_claude(action: Action, repo: Path) -> Action:
    match action:
        case {"say": text} | {"talk": text}:
            return {"text": text}
        case {"answer": report}:
            return {"tool": "StructuredOutput", "input": report}
        case {"full": True}:
            return {"fail": 400, "text": "prompt is too long: 215000 tokens > 200000 maximum"}
        case {"shell": command}:
            return {"tool": "Bash", "input": {"command": command, "description": "Run it"}}
        case {"edit": path, "content": content}:
            return {"tool": "Write", "input": {"file_path": str(repo / path), "content": content}}
        case {"tool": tool, "args": args}:
            return {"tool": f"mcp__governed__{tool}", "input": args}
        case _:
            return action


def scenario_names() -> Sequence[str]:
    """Return the names of all cases."""
    return tuple(CASES)


def recording_of(name: str, case: str) -> dict[str, Any]:
    """Return a stored recording."""
    loaded: dict[str, Any] = json.loads((RECORDINGS / name / f"{case}.json").read_text())
    return loaded


__all__ = ["CASES", "PATCHED", "RECORDING", "REPORT", "Cli", "Scenario", "recording_of", "scenario_names"]
