"""Write ``docs/settings.md``: every setting of the server processes, from the one catalogue they read."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from stagewright.kit.settings import Setting
from stagewright.processes.settings import CATALOGUE, OAUTH_CLIENT, PREFIX, REQUIRED, WORKLOAD

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path("docs/settings.md")
HEAD = f"""# Settings

Generated from the catalogue of the server processes by `python -m tools.settings_docs`; do not edit. Names begin with
`{PREFIX}`. An unknown name stops the start and tells the nearest known one; names with `{PREFIX}CLI_` are the
[command line](cli.md)'s own. A secret can also come from a file: `{PREFIX}NAME_FILE`. Lists are separated by commas;
durations are written `90s`, `60m`, `12h`, `14d`.

"Required" means with `{PREFIX}DATABASE_URL` set. Without it the embedded mode needs nothing: it makes its root keys,
listens on loopback, and takes free ports.
"""
MEANINGS: Mapping[str, str] = {
    "DATABASE_URL": "PostgreSQL 17 or newer; unset: the embedded database",
    "DATA_DIR": "mirrors of repositories, the platform's policy, embedded data; default: the user's data directory",
    "ROOT_KEYS": "`kid:base64` list, the first is current; what seals secrets is derived from them",
    "PUBLIC_URL": "where people and webhooks reach the gateway: an https origin; embedded default: the listener",
    "LISTEN": "the gateway's listener",
    "CONTROLPLANE_LISTEN": "gRPC for runs; without TLS on loopback only",
    "TOOLS_LISTEN": "the tools of agents",
    "RELAY_LISTEN": "the relay of model calls, and source trees",
    "CONTROLPLANE_URL": "where workloads reach the control plane",
    "TOOLS_URL": "where workloads reach the tools",
    "RELAY_URL": "where workloads reach the relay",
    "TOOLS_ALLOWED_HOSTS": "the `Host` names that the tools answer to",
    "METRICS_LISTEN": "`/metrics`, and the health of a process without another listener",
    "OWNER_EMAIL": "the owner's e-mail; needed at the first start",
    "ALLOWED_EMAILS": "who may sign in besides; missing users are made as members at the start",
    "GITHUB_OAUTH_CLIENT_ID": "sign-in with GitHub; unset: the owner's one-time link, on a loopback listener only",
    "GITHUB_OAUTH_CLIENT_SECRET": "its secret",
    "TRUSTED_PROXIES": "addresses or networks whose `X-Forwarded-For` counts",
    "SESSION_IDLE": "how long a browser's session lives unused",
    "SESSION_MAX": "how long it lives at most",
    "FORGE_HOSTS": "hosts of forges on a private network (GitHub Enterprise Server); others need public addresses",
}
LATER = "accepted, without effect in this release"


def text() -> str:
    """Return the page."""
    rows = [_row(name, setting) for name, setting in CATALOGUE.items() if name in MEANINGS]
    head = "| setting | default | required by | meaning |\n|---|---|---|---|\n"
    rest = [f"`{name}`" for name in CATALOGUE if name not in MEANINGS and name not in WORKLOAD]
    workload = [f"`{name}`" for name in CATALOGUE if name in WORKLOAD and name not in MEANINGS]
    return (
        f"{HEAD}\n{head}{chr(10).join(rows)}\n\n## Reserved\n\n{LATER.capitalize()}: {', '.join(rest)}.\n\n"
        f"Set by the platform in workloads, never by a person: {', '.join(workload)}.\n"
    )


def problems(root: Path) -> list[str]:
    """Say whether the page below ``root`` is current."""
    unknown = sorted(MEANINGS.keys() - CATALOGUE.keys())
    if unknown:
        return [f"tools/settings_docs.py: no such setting: {', '.join(unknown)}"]
    page = root / TARGET
    if page.is_file() and page.read_text(encoding="utf-8") == text():
        return []
    return [f"{TARGET}: it differs from the settings; run python -m tools.settings_docs"]


def _row(name: str, setting: Setting) -> str:
    needed = [process for process, names in REQUIRED.items() if name in names]
    required = ", ".join(needed) or ("the other one of the two" if name in OAUTH_CLIENT else "–")
    secret = " (secret)" if setting.secret else ""
    return f"| `{name}`{secret} | {_default(setting.default)} | {required} | {MEANINGS[name]} |"


def _default(value: Any) -> str:
    if value is None or value == ():
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"`{minutes}m`" if minutes and not seconds else f"`{int(value.total_seconds())}s`"
    return f"`{value}`"


if __name__ == "__main__":
    (ROOT / TARGET).write_text(text(), encoding="utf-8")
    print(TARGET)
