"""Keep what a real CLI printed and wrote in one turn, without this machine's paths, so that it can be replayed."""

import json
import re
from collections.abc import Sequence

from tests.contract.engines.clis import RECORDINGS, Cli
from tests.contract.engines.jobs import log_of

from stagewright.adapters.engines.contract import Archive, EngineEvent, EngineJob

KEPT_LINES = ("session_meta", "token_usage_record")


def record(cli: Cli, case: str, job: EngineJob, events: Sequence[EngineEvent], archive: Archive | None) -> None:
    """Store one case."""
    lines = log_of(list(events)).decode().splitlines()
    if not lines:
        return  # the program was not started
    stopped = events[-1].failure == "interrupted" or events[-1].kind not in ("turn_ended", "turn_failed")
    files = {
        f".{cli.name}/{relative}": _trimmed(content.decode())
        for relative, content in (archive.files if archive else ())
    }
    recording = {
        "version": archive.engine_version if archive else "",
        "stdout": [line for line in lines if line.startswith("{")],
        "stderr": "".join(f"{line}\n" for line in lines if not line.startswith("{")),
        "exit": None if stopped else int(events[-1].kind == "turn_failed"),
        "result": job.result_file.read_text() if job.result_file.is_file() else None,
        "files": files,
    }
    folder = RECORDINGS / cli.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{case}.json").write_text(_marked(json.dumps(recording, indent=1, ensure_ascii=False), job) + "\n")


def _trimmed(text: str) -> str:
    """Keep the lines the engine reads; a session holds whole prompts, which prove nothing here."""
    lines = text.splitlines()
    kept = [line for line in lines if any(f'"type":"{word}"' in line for word in KEPT_LINES)] or lines[:1]
    return "".join(re.sub(r'"base_instructions":\{.*?\}\},', "", line)[:4000] + "\n" for line in kept)


def _marked(text: str, job: EngineJob) -> str:
    folder = re.sub(r"[^A-Za-z0-9]", "-", str(job.repo))
    for value, mark in ((str(job.repo), "{{repo}}"), (str(job.home), "{{home}}"), (folder, "{{folder}}")):
        text = text.replace(value, mark)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", text)
