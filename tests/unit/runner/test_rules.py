"""What is decided without I/O: scope advice, tool gaps, reports, archives, settings, failures of a turn."""

import io
import json
import tarfile
from pathlib import Path

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata
from hypothesis import given
from hypothesis import strategies as st

from stagewright.adapters.engines.contract import EngineEvent, FailureClass
from stagewright.processes.runner.archives import ArchiveInvalid, manifest_of, pack, unpack
from stagewright.processes.runner.door import translate
from stagewright.processes.runner.exchange import Route
from stagewright.processes.runner.failures import NotTaken, Refused, Unreachable
from stagewright.processes.runner.gaps import ToolGaps
from stagewright.processes.runner.http1 import Head
from stagewright.processes.runner.reports import ReportInvalid, parse_report
from stagewright.processes.runner.scope import advise
from stagewright.processes.runner.settings import SettingsWrong, is_loopback, read_settings
from stagewright.processes.runner.turns import RelayAnswers, failure_of
from stagewright.processes.runner.words import mend_tree, with_notices

SCHEMA = '{"type":"object","required":["title"],"additionalProperties":false,"properties":{"title":{"type":"string"}}}'


def test_advice_names_paths_outside_the_scope_and_protected_ones() -> None:
    paths = ["docs/a.md", "src/a.py", ".github/x.yml"]
    found = advise(paths, scope_any=False, allow=["**/*.md"], protected=[".github/**"])
    assert [(item.code, item.paths) for item in found] == [
        ("scope_violation", ("src/a.py", ".github/x.yml")),
        ("protected_path", (".github/x.yml",)),
    ]
    assert advise(paths, scope_any=True, allow=[], protected=[]) == ()
    assert advise(["docs/b.md"], scope_any=False, allow=["docs/[a-c].md"], protected=[]) == ()
    assert "src/a.py" in mend_tree(found)


def test_at_most_fifty_paths_are_listed() -> None:
    [found] = advise([f"{n}.py" for n in range(80)], scope_any=False, allow=[], protected=[])
    assert len(found.paths) == 50


@pytest.mark.parametrize(
    ("argv", "exit_code", "output", "names"),
    [
        ("helm template .", 127, "", ["helm"]),
        ("/bin/sh -c 'helm template .'", 127, "", ["helm"]),
        ("bash -lc 'A=1 helm x'", 127, "", ["helm"]),
        ("bash -lc 'cd x && helm y'", 127, "bash: line 1: helm: command not found", ["helm"]),
        ("bash -lc 'cd x; foo'", 127, "", []),
        ("sh -c x", 1, "sh: 1: kubectl: not found\n", ["kubectl"]),
        ("helm 'unclosed", 127, "", []),
        ("true", 0, "page not found", []),
        ("helm", 1, "", []),
    ],
)
def test_a_missing_program_is_seen(argv: str, exit_code: int, output: str, names: list[str]) -> None:
    gaps = ToolGaps()
    gaps.command(argv, exit_code, output)
    assert list(gaps.missing(lambda name: None)) == names


def test_what_is_there_at_the_end_was_no_gap() -> None:
    gaps = ToolGaps()
    gaps.reported(["helm", "kubectl", "two words", ""])
    gaps.command("helm", 127, "")
    assert gaps.missing({"kubectl": "/bin/kubectl"}.get) == {"helm": ["command", "report"]}


def test_a_report_may_speak_of_escapes() -> None:
    assert parse_report(r'{"title": "\\u0000 and \ud83d\ude00"}', SCHEMA) == {"title": "\\u0000 and 😀"}


@pytest.mark.parametrize("text", ['{"title": "x"}', ' {"title": "x"}\n', '```json\n{"title": "x"}\n```'])
def test_a_report_is_read_with_or_without_a_fence(text: str) -> None:
    assert parse_report(text, SCHEMA) == {"title": "x"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no report"),
        ("  ", "no report"),
        ("{", "not JSON"),
        ('{"title": NaN}', "not JSON"),
        ("[]", "not a JSON object"),
        ('{"title": 7}', r"\$\.title"),
        ('{"title": "x", "more": 1}', "more"),
        ('{"title": "' + "x" * 1_100_000 + '"}', "1 MiB"),
        ("[" * 100_000, "not JSON"),
        ('{"title": "half \\ud83d"}', "half a character"),
        ('{"title": "half \ud83d"}', "half a character"),
        ('{"title": "a\\\\\\u0000"}', "NUL"),
    ],
)
def test_a_bad_report_is_refused_with_the_place(text: str | None, says: str) -> None:
    with pytest.raises(ReportInvalid, match=says):
        parse_report(text, SCHEMA)


def test_many_problems_are_listed_shortly() -> None:
    schema = json.dumps({"type": "object", "properties": {str(n): {"type": "string"} for n in range(30)}})
    with pytest.raises(ReportInvalid, match="and 20 more"):
        parse_report(json.dumps({str(n): n for n in range(30)}), schema)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,3}", fullmatch=True), st.binary(max_size=100)))
def test_an_archive_gives_back_its_files(files: dict[str, bytes]) -> None:
    given_files = tuple(sorted(files.items()))
    packed = pack(given_files)
    assert unpack(packed, limit=1_000_000) == given_files
    assert pack(tuple(reversed(given_files))) == packed
    assert set(json.loads(manifest_of(given_files))) == set(files)


def tar_of(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "archive",
    [
        tar_of("/etc/x"),
        tar_of("../x"),
        tar_of("a/../../x"),
        tar_of("x", tarfile.SYMTYPE),
        tar_of("x", tarfile.LNKTYPE),
        tar_of("x", tarfile.DIRTYPE),
        tar_of("x", tarfile.FIFOTYPE),
        b"not an archive",
        pack((("a", b"x" * 1000),))[:40],
    ],
    ids=["absolute", "above", "through", "symlink", "hard link", "folder", "pipe", "no archive", "cut"],
)
def test_an_archive_that_is_not_plain_files_inside_is_refused(archive: bytes) -> None:
    with pytest.raises(ArchiveInvalid):
        unpack(archive, limit=1_000_000)


def test_an_archive_that_grows_too_large_is_refused() -> None:
    with pytest.raises(ArchiveInvalid, match="more than is allowed"):
        unpack(pack((("a", bytes(2_000_000)),)), limit=1_000_000)


def test_a_damaged_archive_is_refused() -> None:
    packed = bytearray(pack((("a", " ".join(map(str, range(5000))).encode()),)))
    place = len(packed) * 9 // 10
    packed[place : place + 64] = b"\xff" * 64
    with pytest.raises(ArchiveInvalid):
        unpack(bytes(packed), limit=1_000_000)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, "", Unreachable),
        (grpc.StatusCode.UNAVAILABLE, "db.unavailable", Unreachable),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "limit_reached", Unreachable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "timeout", Unreachable),
        (grpc.StatusCode.INTERNAL, "", Unreachable),
        (grpc.StatusCode.INTERNAL, "internal", NotTaken),
        (grpc.StatusCode.INVALID_ARGUMENT, "too_large", NotTaken),
        (grpc.StatusCode.FAILED_PRECONDITION, "attempt_ended", Refused),
        (grpc.StatusCode.UNAUTHENTICATED, "", Refused),
        (grpc.StatusCode.UNAUTHENTICATED, "token.invalid", Refused),
        (grpc.StatusCode.UNAVAILABLE, "attempt.no_assignment", Unreachable),
    ],
)
def test_not_now_is_told_apart_from_no(status: grpc.StatusCode, code: str, kind: type[Exception]) -> None:
    trailers = Metadata(("stagewright-code", code)) if code else Metadata()
    assert type(translate(AioRpcError(status, Metadata(), trailers, "why"))) is kind


def test_what_holds_a_token_does_not_show_it(tmp_path: Path) -> None:
    settings = read_settings(an_environment(tmp_path), tmp_path)
    assert "token-run" not in repr(settings)
    assert "token-model" not in repr(Route("model", "/model/x", "http://127.0.0.1:1", settings.tokens["model"]))


def test_loopback_is_only_what_is_certain() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"))
    assert not any(is_loopback(host) for host in ("10.0.0.1", "localhost.example.org", "0.0.0.0"))


@pytest.mark.parametrize(
    ("url", "target", "secure"),
    [
        ("http://127.0.0.1:8081", "127.0.0.1:8081", False),
        ("https://platform.example", "platform.example:443", True),
        ("http://[::1]:9", "[::1]:9", False),
    ],
)
def test_the_address_of_the_platform_is_read(tmp_path: Path, url: str, target: str, secure: bool) -> None:
    settings = read_settings(an_environment(tmp_path, STAGEWRIGHT_CONTROLPLANE_URL=url), tmp_path)
    assert (settings.target, settings.secure) == (target, secure)
    assert settings.tokens == {"run": "token-run", "tools": "token-tools", "model": "token-model"}


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:8081", "http://10.0.0.1:8081", "http://"])
def test_another_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsWrong, match="STAGEWRIGHT_CONTROLPLANE_URL"):
        read_settings(an_environment(tmp_path, STAGEWRIGHT_CONTROLPLANE_URL=url), tmp_path)


def test_an_empty_token_file_is_named(tmp_path: Path) -> None:
    environment = an_environment(tmp_path)
    (tmp_path / "tools").write_text("\n")
    with pytest.raises(SettingsWrong, match="tools is empty"):
        read_settings(environment, tmp_path)


def an_environment(folder: Path, **changes: str) -> dict[str, str]:
    for name in ("run", "tools", "model"):
        (folder / name).write_text(f"token-{name}\n")
    return {
        "STAGEWRIGHT_CONTROLPLANE_URL": "http://127.0.0.1:1",
        "STAGEWRIGHT_ATTEMPT_ID": "01890000-0000-7000-8000-000000000001",
        "STAGEWRIGHT_GENERATION": "3",
        "STAGEWRIGHT_TOKEN_DIR": str(folder),
        **changes,
    }


def test_the_relays_last_word_outranks_the_engines_guess() -> None:
    relay = RelayAnswers()
    end = EngineEvent("turn_failed", failure="provider_unavailable", text="it broke")
    route = Route("model", "/model/x", "http://127.0.0.1:1", "t")
    assert failure_of(end, relay).outcome.code == "provider_unavailable"
    relay.seen(route, 429, Head(headers=[("retry-after", "60")]))
    limited = failure_of(end, relay).outcome
    assert (limited.outcome, limited.resume_at.endswith("Z")) == ("rate_limited", True)
    relay.seen(route, 402, Head())
    assert failure_of(end, relay).outcome.outcome == "budget"
    relay.seen(Route("tools", "/mcp", "", ""), 500, Head())
    assert failure_of(end, relay).outcome.outcome == "budget"
    relay.seen(route, 200, Head())
    assert failure_of(end, relay).outcome.code == "provider_unavailable"


@pytest.mark.parametrize(
    ("status", "code", "guess", "outcome", "told"),
    [
        (503, "agent_not_configured", "provider_unavailable", "precondition_failed", "agent_not_configured"),
        (401, "credential_rejected", "engine_error", "parked", "credential_rejected"),
        (401, "attempt_ended", "credential_rejected", "agent_failed", "engine_error"),
        (403, "model_not_allowed", "engine_error", "agent_failed", "engine_error"),
        (403, "", "engine_error", "agent_failed", "engine_error"),
        (429, "rate_limited", "provider_unavailable", "rate_limited", "rate_limited"),
        (502, "provider_unreachable", "provider_unavailable", "agent_failed", "provider_unavailable"),
        (0, "", "agent_not_configured", "precondition_failed", "agent_not_configured"),
    ],
)
def test_the_relays_code_decides_what_a_failed_turn_means(
    status: int, code: str, guess: FailureClass, outcome: str, told: str
) -> None:
    relay = RelayAnswers()
    head = Head(headers=[("stagewright-code", code)] if code else [])
    relay.seen(Route("model", "/model/x", "http://127.0.0.1:1", "t"), status, head)
    found = failure_of(EngineEvent("turn_failed", failure=guess, text="it broke"), relay).outcome
    assert (found.outcome, found.code) == (outcome, told)


def test_notices_stand_before_the_prompt() -> None:
    assert with_notices([], "go on") == "go on"
    assert with_notices(["finish"], "go on").endswith("finish\n\ngo on")
