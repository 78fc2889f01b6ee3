"""Running git: clean, bounded, killed as a group."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from stagewright.adapters.git.command import Caps, Git
from stagewright.adapters.git.credentials import credential_pipe, origin
from stagewright.adapters.git.errors import GitFailed, GitTimedOut
from stagewright.kit.errors import Invalid

SHELL = "alias.do"


async def test_settings_and_environment_of_the_machine_do_not_reach_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Machine\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_ASKPASS", "/bin/echo")
    monkeypatch.setenv("STAGEWRIGHT_SECRET", "canary")
    shown = await Git().run(tmp_path, "do", settings={SHELL: "!env; git config user.name || true"})
    assert "Machine" not in shown.text
    assert "canary" not in shown.text
    assert "ASKPASS" not in shown.text


async def test_a_git_that_takes_too_long_is_killed_with_everything_it_started(tmp_path: Path) -> None:
    await ended(await started_until_the_deadline(tmp_path, "sleep 60 & echo $! > {}; wait"))


async def test_a_helper_that_outlives_git_holds_nobody_up(tmp_path: Path) -> None:
    await ended(await started_until_the_deadline(tmp_path, "sleep 60 & echo $! > {}"))


async def started_until_the_deadline(folder: Path, script: str) -> str:
    """Let git run into its deadline, a later one on a machine too busy to begin; return what the script wrote."""
    wrote = folder / "pid"
    for seconds in (0.5, 2, 10):
        limit = timedelta(seconds=seconds)
        with pytest.raises(GitTimedOut):
            await Git().run(folder, "do", settings={SHELL: f"!{script.format(wrote)}"}, timeout=limit)
        if wrote.exists() and (pid := wrote.read_text().strip()):
            return pid
    raise AssertionError("git did not begin within ten seconds")


async def ended(pid: str) -> None:
    """Wait until the process is gone, or waits only to be reaped: a kill takes a moment to arrive."""
    async with asyncio.timeout(5):
        while is_alive(pid):  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.01)


def is_alive(pid: str) -> bool:
    """Say whether the process runs; one that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


async def test_output_is_cut_at_its_limit_and_git_killed(tmp_path: Path) -> None:
    shown = await Git().run(tmp_path, "do", settings={SHELL: "!yes"}, most=1000)
    assert (shown.cut, len(shown.out)) == (True, 1000)


async def test_an_error_is_told_with_gits_own_last_words(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match=r"do ended with 3: the reason$"):
        await Git().run(tmp_path, "do", settings={SHELL: "!echo the reason >&2; exit 3"})
    assert (await Git().run(tmp_path, "do", settings={SHELL: "!exit 3"}, ok=(0, 3))).code == 3


async def test_limits_of_the_kernel_hold_for_git(tmp_path: Path) -> None:
    caps = Caps(file_bytes=1024)
    with pytest.raises(GitFailed):
        await Git().run(tmp_path, "do", settings={SHELL: f"!head -c 100000 /dev/zero > {tmp_path}/out"}, caps=caps)
    assert (tmp_path / "out").stat().st_size <= 1024


async def test_more_input_than_git_wants_is_no_failure(tmp_path: Path) -> None:
    assert (await Git().run(tmp_path, "do", settings={SHELL: "!exit 0"}, stdin=bytes(1 << 20))).code == 0


@pytest.mark.parametrize("protocols", [("https",), ("file", "https")])
async def test_only_the_given_transports_are_spoken(tmp_path: Path, protocols: tuple[str, ...]) -> None:
    with pytest.raises(GitFailed) as caught:
        await Git(protocols=protocols).run(tmp_path, "ls-remote", f"ext::sh -c 'touch {tmp_path}/pwned'")
    assert "not allowed" in caught.value.stderr
    assert not (tmp_path / "pwned").exists()


def test_a_credential_that_would_break_the_protocol_is_refused() -> None:
    for user, secret in (("a\nb", "s"), ("a", "s\nhost=evil"), ("a", "s\0"), ("a", "s" * 40_000)):
        with pytest.raises(Invalid), credential_pipe("https://forge.test/x.git", user, secret):
            raise AssertionError("never offered")


def test_a_clone_address_with_a_user_name_is_refused() -> None:
    assert origin("https://forge.test:8443/a/b.git") == "https://forge.test:8443"
    with pytest.raises(Invalid, match="user name"):
        origin("https://user:secret@forge.test/a/b.git")
