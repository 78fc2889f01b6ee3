"""The settings of the server processes."""

import re
import stat
from pathlib import Path

import pytest

from stagewright.kit.crypto import Keyring
from stagewright.kit.settings import Listen, SettingsInvalid
from stagewright.processes.settings import CATALOGUE, load, load_workload

KEYS = Keyring.generate()
SERVER = {
    "STAGEWRIGHT_DATABASE_URL": "postgresql://u:hunter22@db/stagewright",
    "STAGEWRIGHT_ROOT_KEYS": KEYS,
    "STAGEWRIGHT_PUBLIC_URL": "https://sw.example.org",
    "STAGEWRIGHT_CONTROLPLANE_URL": "https://cp.example.org",
    "STAGEWRIGHT_TOOLS_URL": "https://tools.example.org",
    "STAGEWRIGHT_RELAY_URL": "https://relay.example.org",
    "STAGEWRIGHT_TOOLS_ALLOWED_HOSTS": "tools.example.org",
}


class TestEmbedded:
    def test_nothing_is_required(self, tmp_path: Path) -> None:
        settings = load("up", {"STAGEWRIGHT_DATA_DIR": str(tmp_path / "data")})
        assert settings.embedded
        assert settings.database_url is None
        assert settings.public_url == "http://127.0.0.1:8080"
        assert (
            settings.controlplane_listen == settings.tools_listen == settings.metrics_listen == Listen("127.0.0.1", 0)
        )
        assert settings.local_login

    def test_root_keys_are_made_once_and_closed(self, tmp_path: Path) -> None:
        environ = {"STAGEWRIGHT_DATA_DIR": str(tmp_path / "data")}
        first, second = load("gateway", environ), load("worker", environ)
        assert first.keyring.derive("x") == second.keyring.derive("x")
        mode = (tmp_path / "data" / "root.keys").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert [path.name for path in (tmp_path / "data").iterdir()] == ["root.keys"]

    def test_root_keys_that_others_can_read_stop_the_start(self, tmp_path: Path) -> None:
        load("up", {"STAGEWRIGHT_DATA_DIR": str(tmp_path)})
        (tmp_path / "root.keys").chmod(0o644)
        with pytest.raises(Exception, match=re.escape(f"chmod 600 {tmp_path}/root.keys")):
            load("up", {"STAGEWRIGHT_DATA_DIR": str(tmp_path)})

    def test_addresses_follow_the_ports_that_were_taken(self, tmp_path: Path) -> None:
        environ = {"STAGEWRIGHT_DATA_DIR": str(tmp_path), "STAGEWRIGHT_LISTEN": "127.0.0.1:0"}
        settings = load("up", environ).with_ports(gateway=1, controlplane=2, tools=3, relay=4)
        assert settings.public_url == "http://127.0.0.1:1"
        assert settings.controlplane_url == "http://127.0.0.1:2"
        assert settings.tools_url == "http://127.0.0.1:3"
        assert settings.relay_url == "http://127.0.0.1:4"

    def test_a_public_address_that_was_set_stays(self, tmp_path: Path) -> None:
        environ = {"STAGEWRIGHT_DATA_DIR": str(tmp_path), "STAGEWRIGHT_PUBLIC_URL": "https://tunnel.example.org"}
        settings = load("up", environ).with_ports(gateway=1, controlplane=2, tools=3, relay=4)
        assert settings.public_url == "https://tunnel.example.org"


class TestServer:
    @pytest.mark.parametrize("process", ["gateway", "controlplane", "worker", "up"])
    def test_a_complete_environment_is_taken(self, process: str) -> None:
        settings = load(process, SERVER)
        assert not settings.embedded
        assert settings.database_url == SERVER["STAGEWRIGHT_DATABASE_URL"]
        assert settings.metrics_listen.port == 9464

    @pytest.mark.parametrize(
        ("process", "missing"),
        [
            ("gateway", ["PUBLIC_URL", "ROOT_KEYS"]),
            ("controlplane", ["PUBLIC_URL", "ROOT_KEYS", "TOOLS_ALLOWED_HOSTS"]),
            ("worker", ["CONTROLPLANE_URL", "PUBLIC_URL", "RELAY_URL", "ROOT_KEYS", "TOOLS_URL"]),
            ("up", ["ROOT_KEYS"]),
        ],
    )
    def test_every_missing_setting_is_named(self, process: str, missing: list[str]) -> None:
        with pytest.raises(SettingsInvalid) as caught:
            load(process, {"STAGEWRIGHT_DATABASE_URL": SERVER["STAGEWRIGHT_DATABASE_URL"]})
        assert sorted(problem.pointer for problem in caught.value.problems) == [
            f"/STAGEWRIGHT_{name}" for name in missing
        ]

    def test_secrets_are_neither_echoed_nor_shown(self) -> None:
        with pytest.raises(SettingsInvalid) as caught:
            load(
                "gateway",
                SERVER | {"STAGEWRIGHT_DATABASE_URL": "mysql://hunter22", "STAGEWRIGHT_ROOT_KEYS": "hunter22"},
            )
        assert "hunter22" not in str(caught.value)
        assert "hunter22" not in repr(load("gateway", SERVER))
        assert KEYS.partition(":")[2] not in repr(load("gateway", SERVER))

    def test_an_oauth_client_is_whole_or_absent(self) -> None:
        with pytest.raises(SettingsInvalid, match="STAGEWRIGHT_GITHUB_OAUTH_CLIENT_SECRET: is required"):
            load("gateway", SERVER | {"STAGEWRIGHT_GITHUB_OAUTH_CLIENT_ID": "id"})

    def test_the_local_login_ends_with_oauth_or_an_open_listener(self) -> None:
        oauth = {"STAGEWRIGHT_GITHUB_OAUTH_CLIENT_ID": "id", "STAGEWRIGHT_GITHUB_OAUTH_CLIENT_SECRET": "secret"}
        assert not load("gateway", SERVER | oauth).local_login
        assert not load("gateway", SERVER | {"STAGEWRIGHT_LISTEN": "0.0.0.0:8080"}).local_login

    def test_every_name_of_the_specification_is_known(self) -> None:
        names = {f"STAGEWRIGHT_{name}": "" for name in CATALOGUE}
        assert load("gateway", names | SERVER | {"STAGEWRIGHT_CLI_TOKEN": "x", "KUBECONFIG": "y"})

    def test_an_unknown_name_stops_the_start(self) -> None:
        with pytest.raises(SettingsInvalid, match="ROOTKEYS: unknown setting; did you mean STAGEWRIGHT_ROOT_KEYS"):
            load("gateway", SERVER | {"STAGEWRIGHT_ROOTKEYS": "x"})


class TestWorkload:
    def test_the_platform_tells_the_runner_where_it_is(self, tmp_path: Path) -> None:
        settings = load_workload(
            {
                "STAGEWRIGHT_CONTROLPLANE_URL": "http://127.0.0.1:8081",
                "STAGEWRIGHT_ATTEMPT_ID": "00000000-0000-0000-0000-000000000001",
                "STAGEWRIGHT_GENERATION": "0",
                "STAGEWRIGHT_TOKEN_DIR": str(tmp_path),
            }
        )
        assert (settings.generation, settings.token_dir) == (0, tmp_path)

    def test_all_four_are_required(self) -> None:
        with pytest.raises(SettingsInvalid) as caught:
            load_workload({"STAGEWRIGHT_ATTEMPT_ID": "no id"})
        assert len(caught.value.problems) == 4


def test_proxies_are_addresses_or_networks() -> None:
    settings = load("gateway", SERVER | {"STAGEWRIGHT_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7"})
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.7")
    with pytest.raises(SettingsInvalid, match=r"TRUSTED_PROXIES: 'proxy\.example\.org'"):
        load("gateway", SERVER | {"STAGEWRIGHT_TRUSTED_PROXIES": "proxy.example.org"})


def test_a_gateway_never_keeps_sessions_over_plain_http(tmp_path: Path) -> None:
    environ = {"STAGEWRIGHT_DATA_DIR": str(tmp_path), "STAGEWRIGHT_LISTEN": "192.0.2.1:8080"}
    with pytest.raises(SettingsInvalid, match=r"PUBLIC_URL: http://192\.0\.2\.1:8080 is plain"):
        load("gateway", environ)
    tunnel = {"STAGEWRIGHT_PUBLIC_URL": "https://tunnel.example.org"}
    assert load("gateway", environ | tunnel).public_url == "https://tunnel.example.org"
    assert not load("gateway", environ | tunnel).local_login
