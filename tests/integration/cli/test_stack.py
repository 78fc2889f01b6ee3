"""`stack`: real files, a real git repository, the program as people call it. No server is needed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stagewright.processes.cli.main import main

ROOT = Path(__file__).parents[3]
SHOP = ROOT / "examples" / "shop"
START = "import sys; from stagewright.processes.cli.main import main; sys.exit(main())"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give the program no configuration."""
    monkeypatch.setenv("STAGEWRIGHT_CLI_CONFIG_DIR", str(tmp_path / "config"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a copy of the example that is a repository of its own."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    git(folder, "init", "-q")
    commit(folder)
    monkeypatch.chdir(folder)
    return folder


def git(folder: Path, *line: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *line], cwd=folder, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "state")
    return git(folder, "rev-parse", "HEAD")


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def printed(capsys: Captured) -> Any:
    return json.loads(capsys.readouterr().out)


class TestValidate:
    def test_the_example_is_valid_in_all_environments(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "validate", "--all-envs"]) == 0
        out, err = capsys.readouterr()
        assert re.search(r"^services.yaml: the stack is valid, with \d+ warnings$", out, re.MULTILINE), out
        assert "not checked without a server: " in err

    def test_every_mistake_has_its_place_line_and_remedy_and_ends_with_1(self, shop: Path, capsys: Captured) -> None:
        change(shop / "deploy/units/backend.yaml", "manifests: [{path: deploy/k8s/api.yaml}]", "manifest: [x]")
        change(shop / "services.yaml", "kind: production", "kind: produktion")

        assert main(["stack", "validate"]) == 1
        out, err = capsys.readouterr()
        assert re.search(r"^deploy/units/backend.yaml:\d+:\d+: error: .*manifest.* \[stack.unknown_field\]$", out, re.M)
        assert re.search(r"^services.yaml:\d+:\d+: error: .*produktion.* \[stack.bad_enum\]$", out, re.M), out
        assert re.search(r"^ +\d+ \| .*manifest: \[x\]\n +\| +\^$", out, re.M), out
        assert re.search(r"^  hint: .*manifests", out, re.M), out
        assert re.search(r"^services.yaml: \d+ errors", err, re.M), err

    def test_a_folder_or_a_file_may_be_named(
        self, shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        monkeypatch.chdir(shop.parent)
        assert main(["stack", "validate", "shop", "--env", "live"]) == 0
        assert main(["stack", "validate", "shop/services.yaml", "--env", "live"]) == 0
        assert capsys.readouterr().out.count("shop/services.yaml: the stack is valid") == 2

    def test_the_stack_is_found_from_below(self, shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
        monkeypatch.chdir(shop / "deploy" / "k8s")
        assert main(["stack", "validate", "--env", "live"]) == 0
        assert "../../services.yaml: the stack is valid" in capsys.readouterr().out

    def test_strict_takes_warnings_for_errors(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "validate", "--env", "live", "--strict", "--format", "json"]) == 1
        found = printed(capsys)
        assert found["valid"] is False
        assert {item["severity"] for item in found["diagnostics"]} == {"error"}

    def test_json_holds_every_field(self, shop: Path, capsys: Captured) -> None:
        change(shop / "services.yaml", "deployOnPush: approval", "deployOnPush: sometimes")

        assert main(["stack", "validate", "--format", "json"]) == 1
        (item,) = [item for item in printed(capsys)["diagnostics"] if item["severity"] == "error"]
        assert item["code"] == "stack.bad_enum"
        assert (item["file"], item["path"]) == ("services.yaml", "/spec/environments/live/deployOnPush")
        assert (
            item["line"]
            == (shop / "services.yaml")
            .read_text()[: (shop / "services.yaml").read_text().index("sometimes")]
            .count("\n")
            + 1
        )

    def test_sarif_and_annotations_are_printed_alone(self, shop: Path, capsys: Captured) -> None:
        change(shop / "services.yaml", "deployOnPush: approval", "deployOnPush: sometimes")

        assert main(["stack", "validate", "--format", "sarif"]) == 1
        results = printed(capsys)["runs"][0]["results"]
        assert "stack.bad_enum" in {item["ruleId"] for item in results}
        assert main(["stack", "validate", "--format", "github"]) == 1
        assert all(line.startswith(("::error ", "::warning ")) for line in capsys.readouterr().out.splitlines())

    def test_an_environment_that_is_not_declared_is_named(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "validate", "--env", "lvie"]) == 1
        assert "lvie" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("line", "code", "said"),
        [
            (["--env", "live", "--all-envs"], 2, "--all-envs"),
            (["--format", "xml"], 2, "xml"),
            (["--var", "nothing"], 2, "NAME=VALUE"),
            (["--var", "logLevl=debug"], 2, "has no variable 'logLevl'"),
            (["--repository", "ui=/there/is/none"], 2, "no folder"),
            (["--repository", "ui"], 2, "ALIAS=DIR"),
            (["--server"], 9, "cluster runtime"),
            (["--server", "--var", "a=b"], 2, "--var"),
            (["there/is/none"], 2, "there/is/none"),
        ],
    )  # fmt: skip
    def test_a_wrong_command_line_says_what_to_write(
        self, shop: Path, capsys: Captured, line: list[str], code: int, said: str
    ) -> None:
        assert main(["stack", "validate", *line]) == code
        assert said in capsys.readouterr().err

    def test_without_a_stack_there_is_a_remedy(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(["stack", "validate"]) == 2
        assert "there is no services.yaml" in capsys.readouterr().err

    def test_the_policy_of_the_repository_says_which_roles_there_are(self, shop: Path, capsys: Captured) -> None:
        (shop / ".stagewright").mkdir()
        (shop / ".stagewright/policy.yaml").write_text("version: 1\nbogus: 1\n")
        assert main(["stack", "validate"]) == 1
        assert "policy check .stagewright/policy.yaml" in capsys.readouterr().err


class TestPlan:
    def test_the_order_is_shown_to_a_person(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "plan", "--env", "live"]) == 0
        out, _ = capsys.readouterr()
        assert out.startswith("sp1p:")
        assert "shop → live (production)" in out
        assert out.index("StatefulSet/postgres") < out.index("Job/migrate") < out.index("Deployment/web")
        assert "hook smoke" in out

    def test_programs_get_the_whole_plan(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "plan", "--env", "preview", "--candidate", "i12", "-o", "json"]) == 0
        found = printed(capsys)
        assert (found["preview"], found["candidate"], found["namespace"]) == (True, "i12", "shop-i12")
        assert found["hash"].startswith("sp1p:")

    def test_a_kept_plan_is_compared(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "plan", "--env", "live", "--out", "before.json"]) == 0
        capsys.readouterr()
        assert main(["stack", "plan", "--env", "live", "--against", "before.json"]) == 0
        assert "nothing changes" in capsys.readouterr().out
        change(shop / "deploy/k8s/worker.yaml", "replicas: 1", "replicas: 2")
        assert main(["stack", "plan", "--env", "live", "--against", "before.json"]) == 0
        out = capsys.readouterr().out
        assert "Deployment/worker" in out
        assert "replicas" in out
        assert "Deployment/web" not in out

    def test_a_commit_is_read_as_the_work_tree_was(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "plan", "--env", "live", "-o", "json"]) == 0
        here = printed(capsys)
        sha = git(shop, "rev-parse", "HEAD")
        change(shop / "deploy/k8s/worker.yaml", "replicas: 1", "replicas: 2")
        assert main(["stack", "plan", "--env", "live", "--ref", sha, "-o", "json"]) == 0
        there = printed(capsys)
        assert there["hash"] == here["hash"]
        assert there["sources"][0]["sha"] == sha

    def test_a_variable_is_set_for_a_preview(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "plan", "--env", "live", "--var", "logLevel=debug", "-o", "json"]) == 0
        assert printed(capsys)["vars"]["logLevel"]["value"] == "debug"

    def test_mistakes_end_with_1_and_no_plan(self, shop: Path, capsys: Captured) -> None:
        change(shop / "deploy/k8s/api.yaml", "{{ images.api }}", "nginx")
        assert main(["stack", "plan", "--env", "live", "--out", "plan.json"]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert "stack.object_image_unpinned" in err
        assert not (shop / "plan.json").exists()

    @pytest.mark.parametrize(
        ("line", "code", "said"),
        [
            (["--env", "live", "--against", "live"], 9, "cluster runtime"),
            (["--env", "live", "--against", "sp1:0123456789abcdef"], 9, "by their hash"),
            (["--env", "live", "--against", "nowhere.json"], 2, "no file"),
            (["--env", "live", "--against", "services.yaml"], 2, "no plan that --out wrote"),
            (["--env", "live", "--server"], 9, "cluster runtime"),
            (["--env", "live", "--ref", "nothing"], 2, "no commit 'nothing'"),
            (["--env", "preview", "--candidate", "12"], 2, "i<issue>"),
            ([], 2, "--env"),
        ],
    )
    def test_what_cannot_be_is_said(self, shop: Path, capsys: Captured, line: list[str], code: int, said: str) -> None:
        assert main(["stack", "plan", *line]) == code
        assert said in capsys.readouterr().err


class TestRender:
    def test_the_objects_of_a_unit_are_printed_as_yaml(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "render", "--env", "live", "--unit", "api"]) == 0
        found = list(yaml.safe_load_all(capsys.readouterr().out))
        assert {item["kind"] for item in found} >= {"Service", "Deployment", "PodDisruptionBudget"}
        (made,) = [item for item in found if item["kind"] == "Deployment"]
        assert made["spec"]["replicas"] == 3

    def test_the_stack_is_printed_without_templates(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "render", "--env", "live"]) == 0
        found = yaml.safe_load(capsys.readouterr().out)
        assert found["kind"] == "ServiceStack"
        seed = next(item for item in found["spec"]["services"] if item["name"] == "seed")
        assert seed["when"] is False

    def test_all_of_it_is_written_into_a_folder(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "render", "--env", "live", "--output", "out"]) == 0
        names = {path.relative_to(shop / "out").as_posix() for path in (shop / "out").rglob("*.yaml")}
        assert {"stack.yaml", "secrets.yaml", "api/deployment-api.yaml", "postgres/statefulset-postgres.yaml"} <= names
        secrets = yaml.safe_load((shop / "out/secrets.yaml").read_text())["secrets"]
        assert {item["key"] for item in secrets if item["secret"] == "database"} == {"PASSWORD", "URL"}
        assert re.search(r"^out: \d+ files$", capsys.readouterr().err, re.M)

    def test_a_unit_that_does_not_exist_is_named_with_those_that_do(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "render", "--env", "live", "--unit", "wrker"]) == 2
        assert "worker" in capsys.readouterr().err


class TestExplain:
    def test_a_value_is_told_with_its_place_and_meaning(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "explain", "/spec/environments/live/deployOnPush"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "/spec/environments/live/deployOnPush"
        assert '   value      "approval"' in lines
        assert any(re.fullmatch(r"   origin     written in a file, services.yaml:\d+:\d+", line) for line in lines), (
            lines
        )
        assert any(line.startswith("   means      ") for line in lines)

    def test_a_value_of_a_component_is_told_in_its_environment(self, shop: Path, capsys: Captured) -> None:
        line = ["stack", "explain", "/spec/services/api/codeUpdateStrategy", "--env", "preview", "--candidate", "i12"]
        assert main([*line, "-o", "json"]) == 0
        found = printed(capsys)
        assert (found["value"], found["origin"]) == ("hot-reload", "component")
        assert found["at"].startswith("services.yaml:")

    def test_an_inherited_value_is_told(self, shop: Path, capsys: Captured) -> None:
        assert (
            main(["stack", "explain", "/spec/environments/rehearsal/egress", "--env", "rehearsal", "-o", "json"]) == 0
        )
        assert printed(capsys)["origin"] == "inherited"

    def test_an_imported_value_names_who_imports_it(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "explain", "/spec/services/web/deployGroup", "-o", "json"]) == 0
        found = printed(capsys)
        assert found["at"].startswith("deploy/units/frontend.yaml:")
        assert found["imported_by"] == ["services.yaml"]

    def test_what_is_overridden_is_told(self, shop: Path, capsys: Captured) -> None:
        change(
            shop / "services.yaml",
            "  orchestration:",
            "  services: [{name: web, deployGroup: backend}]\n  orchestration:",
        )
        assert main(["stack", "explain", "/spec/services/web/deployGroup"]) == 0
        out = capsys.readouterr().out
        assert '   value      "backend"' in out
        assert re.search(r"^   overrides  deploy/units/frontend.yaml:\d+:\d+$", out, re.M), out

    def test_a_pointer_to_nothing_names_the_nearest(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "explain", "/spec/services/api/deployGruop"]) == 2
        assert "/spec/services/api/deployGroup" in capsys.readouterr().err

    def test_a_stack_that_cannot_be_read_is_not_explained(self, shop: Path, capsys: Captured) -> None:
        (shop / "services.yaml").write_text("a: [")
        assert main(["stack", "explain", "/spec"]) == 1
        assert "stack.yaml_syntax" in capsys.readouterr().err


class TestSchema:
    def test_it_is_printed_and_written(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "schema"]) == 0
        text = capsys.readouterr().out
        assert json.loads(text)["$id"] == "https://stagewright.dev/schema/v1alpha1/service-stack.json"
        assert main(["stack", "schema", "--output", ".stagewright/service-stack.schema.json"]) == 0
        assert (shop / ".stagewright/service-stack.schema.json").read_text() == text

    def test_a_place_that_cannot_be_written_is_said(self, shop: Path, capsys: Captured) -> None:
        assert main(["stack", "schema", "--output", "services.yaml/x"]) == 1
        assert "--output" in capsys.readouterr().err


class TestTheProgram:
    def run(self, *line: str, cwd: Path = SHOP) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", START, "stack", *line],
            cwd=cwd, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    @pytest.mark.parametrize("folder", [SHOP, ROOT], ids=["the example", "stagewright"])
    def test_both_examples_are_valid_where_they_stand(self, folder: Path) -> None:
        done = self.run("validate", "--all-envs", cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_results_and_doubts_go_to_different_streams(self) -> None:
        done = self.run("plan", "--env", "live", "-o", "json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["project"] == "shop"
        assert "warning" in done.stderr

    def test_no_terminal_no_colours(self) -> None:
        done = self.run("validate")
        assert "\x1b" not in done.stdout + done.stderr
