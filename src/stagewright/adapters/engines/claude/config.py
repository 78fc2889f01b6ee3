"""How Claude Code is started: arguments, environment and the MCP file. None of them holds a credential.

The relay on loopback adds the tokens. The CLI refuses to start without a token of its own, so it gets ``none``.
"""

import json
from pathlib import Path
from typing import Any

from stagewright.adapters.engines.contract import EngineJob
from stagewright.adapters.engines.environment import clean_environment

REASONING = ("low", "medium", "high", "xhigh", "max")
SERVER = "governed"
BUILT_IN_TOOLS = ("Bash", "Edit", "Glob", "Grep", "Read", "Write")
MAX_RETRIES = "3"


def config_dir(job: EngineJob) -> Path:
    """Return the folder the CLI calls CLAUDE_CONFIG_DIR."""
    return job.home / ".claude"


def mcp_file(job: EngineJob) -> Path:
    """Return the only MCP configuration the CLI reads."""
    return job.home / "claude-mcp.json"


def mcp_config(job: EngineJob) -> str:
    """Return the MCP configuration: the relay's tools door, or no server."""
    servers = {SERVER: {"type": "http", "url": job.tools_url}} if job.tools_url else {}
    return json.dumps({"mcpServers": servers}, indent=1) + "\n"


def arguments(program: Path, job: EngineJob, thread_id: str | None) -> list[str]:
    """Return the command line. Settings of the work tree are no source; the prompt comes on standard input."""
    governed = [f"mcp__{SERVER}__{name}" for name in job.tool_names] or [f"mcp__{SERVER}"]
    argv = [str(program), "-p", "--output-format", "stream-json", "--verbose"]
    argv += ["--setting-sources", "user", "--disable-slash-commands"]
    argv += ["--mcp-config", str(mcp_file(job)), "--strict-mcp-config"]
    argv += ["--permission-mode", "dontAsk", "--tools", ",".join(BUILT_IN_TOOLS)]
    argv += ["--allowedTools", ",".join([*BUILT_IN_TOOLS, *(governed if job.tools_url else [])])]
    argv += ["--model", job.model, "--json-schema", json.dumps(job.report_schema)]
    if job.reasoning:
        argv += ["--effort", job.reasoning]
    return [*argv, "--resume", thread_id] if thread_id else argv


def environment(job: EngineJob) -> dict[str, str]:
    """Return the CLI's environment: core variables, the relay, and everything that is not the work switched off."""
    own: dict[str, Any] = {
        "CLAUDE_CONFIG_DIR": str(config_dir(job)),
        "ANTHROPIC_BASE_URL": job.model_url,
        "ANTHROPIC_AUTH_TOKEN": "none",
        "CLAUDE_CODE_MAX_RETRIES": MAX_RETRIES,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
        "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
        "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
        "CLAUDE_CODE_DISABLE_CLAUDE_MDS": "1",
        "CLAUDE_CODE_DISABLE_FILE_MENTIONS": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_TELEMETRY": "1",
        "ENABLE_TOOL_SEARCH": "false",
    }
    return {**clean_environment(job), **own}
