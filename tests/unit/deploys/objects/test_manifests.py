"""Files of units become objects: which files, from which repository, rendered or not, and config maps of files."""

import base64
from typing import Any

import pytest
from tests.fakes.stack_files import Content, Device, Link
from tests.unit.deploys.objects.planned import DEPLOYMENT, STACK, planned
from tests.unit.deploys.stacks import fragment

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"


def with_unit(unit: str) -> str:
    """Return a stack with this one service on line 11."""
    return STACK.replace("- {name: api, manifests: [{path: k8s/api.yaml}]}", f"- {unit}")


def names(unit: str, files: dict[str, Content], **more: Any) -> list[str]:
    """Return the objects that a unit comes to."""
    result = planned(with_unit(unit), files, **more)
    assert result.told == []
    return [f"{item.kind} {item.name}" for item in result.plan.objects]


def test_a_pattern_takes_every_file_that_matches_once() -> None:
    files: dict[str, Content] = {
        "k8s/a.yaml": CONFIG.replace("settings", "a"),
        "k8s/b/c.yaml": CONFIG.replace("settings", "c"),
        "k8s/note.txt": "no manifest",
    }
    unit = "{name: api, manifests: [{path: 'k8s/**/*.yaml'}, {path: k8s/a.yaml}, {path: ./k8s//a.yaml}]}"
    assert names(unit, files) == ["ConfigMap a", "ConfigMap c"]


def test_documents_are_separate_and_empty_ones_nothing() -> None:
    text = CONFIG + "---\n# nothing here\n---\n" + CONFIG.replace("settings", "other")
    assert names("{name: api, manifests: [{path: a.yaml}]}", {"a.yaml": text}) == [
        "ConfigMap other",
        "ConfigMap settings",
    ]


def test_a_manifest_that_is_switched_off_is_not_read() -> None:
    unit = "{name: api, manifests: [{path: a.yaml}, {path: b.yaml, when: \"{{ env.kind == 'candidate' }}\"}]}"
    files: dict[str, Content] = {"a.yaml": CONFIG, "b.yaml": CONFIG.replace("settings", "b")}
    assert names(unit, files) == ["ConfigMap settings"]
    assert names(unit, files, environment="preview") == ["ConfigMap b", "ConfigMap settings"]


def test_templates_are_filled_in_unless_the_manifest_says_no() -> None:
    text = CONFIG + 'data: {text: "{{ unit.name }} in {{ namespace }}"}\n'
    one = planned(with_unit("{name: api, manifests: [{path: a.yaml}]}"), {"a.yaml": text})
    other = planned(with_unit("{name: api, manifests: [{path: a.yaml, render: false}]}"), {"a.yaml": text})
    assert one.body("ConfigMap", "settings")["data"] == {"text": "api in shop-live"}
    assert other.body("ConfigMap", "settings")["data"] == {"text": "{{ unit.name }} in {{ namespace }}"}


def test_a_template_that_fails_says_so_once_and_nothing_else_is_said_of_the_object() -> None:
    result = planned(files={"k8s/api.yaml": DEPLOYMENT.replace("images.api", "images.apl")})
    assert [line.split(": ")[0] for line in result.told] == ["template_undefined k8s/api.yaml:11"]


def test_nulls_are_as_good_as_absent() -> None:
    text = CONFIG + "data: {a: null, b: c}\nimmutable: null\n"
    result = planned(with_unit("{name: api, manifests: [{path: a.yaml}]}"), {"a.yaml": text})
    body = result.body("ConfigMap", "settings")
    assert body["data"] == {"b": "c"}
    assert "immutable" not in body


def test_paths_belong_to_the_repository_of_the_file_that_declares_them() -> None:
    text = STACK.replace(
        "services:", "repositories: [{alias: ui}]\n  imports: [{repository: ui, path: web.yaml}]\n  services:"
    )
    web = fragment(
        "spec: {services: [{name: web, manifests: [{path: k8s/web.yaml}], configMaps: [{name: c, files: [x]}]}]}"
    )
    result = planned(
        text,
        {"k8s/api.yaml": DEPLOYMENT, "k8s/web.yaml": CONFIG.replace("settings", "wrong"), "x": "wrong"},
        others={"ui": {"web.yaml": web, "k8s/web.yaml": CONFIG, "x": "right"}},
    )
    assert result.told == []
    assert result.body("ConfigMap", "c")["data"] == {"x": "right"}
    assert "ConfigMap settings" in [f"{item.kind} {item.name}" for item in result.plan.objects]
    provenance = next(item.provenance for item in result.plan.objects if item.name == "settings")
    assert provenance is not None
    assert provenance.at is not None
    assert (provenance.at.source.repository, str(provenance.at)) == ("ui", "k8s/web.yaml:1")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "gone.yaml",
            "manifest_missing services.yaml:12: 'gone.yaml' does not exist; paths start at the root of the repository",
        ),
        ("k8s", "manifest_missing services.yaml:12: 'k8s' is a folder; write 'k8s/*.yaml'"),
        ("'*.yml'", "manifest_missing services.yaml:12: '*.yml' matches no file; correct the pattern, or remove it"),
        ("pipe", "manifest_missing services.yaml:12: 'pipe' is no file; name a file"),
        (
            "../other.yaml",
            (
                "manifest_outside services.yaml:12: '../other.yaml' leads out of the repository; write a path "
                "relative to its root"
            ),
        ),
        (
            "/etc/passwd",
            (
                "manifest_outside services.yaml:12: '/etc/passwd' leads out of the repository; write a path "
                "relative to its root"
            ),
        ),
        (
            "link.yaml",
            (
                "manifest_outside services.yaml:12: 'link.yaml' is a link that leaves the repository; put the "
                "file itself there"
            ),
        ),
        (
            "large.yaml",
            (
                "file_too_large services.yaml:12: 'large.yaml' has 1048577 bytes; a file may have at most "
                "1048576, so split it"
            ),
        ),
    ],
)
@pytest.mark.parametrize(
    "field", ["manifests: [{path: PATH}]", "manifests: [{path: k8s/a.yaml}], configMaps: [{name: c, files: [PATH]}]"]
)
def test_a_file_that_cannot_be_had_is_named_with_the_remedy(field: str, path: str, said: str) -> None:
    files: dict[str, Content] = {
        "k8s/a.yaml": CONFIG,
        "link.yaml": Link("/etc/passwd"),
        "pipe": Device(),
        "large.yaml": "#" * (1 << 20) + "\n",
    }
    result = planned(with_unit(f"{{name: api, {field.replace('PATH', path)}}}"), files)
    assert result.told == [said]


def test_a_link_inside_the_repository_is_followed() -> None:
    files: dict[str, Content] = {"a.yaml": Link("b/c.yaml"), "b/c.yaml": CONFIG}
    assert names("{name: api, manifests: [{path: a.yaml}]}", files) == ["ConfigMap settings"]


def test_a_manifest_that_is_no_yaml_is_a_syntax_error_in_its_own_file() -> None:
    result = planned(files={"k8s/api.yaml": "kind: [a\nb: c\n"})
    assert [line.split(": ")[0] for line in result.told] == ["manifest_syntax k8s/api.yaml:2"]


def test_a_number_that_json_cannot_hold_is_named() -> None:
    result = planned(files={"k8s/api.yaml": CONFIG + "count: 123456789012345678\n"})
    assert result.told == [
        (
            "manifest_syntax k8s/api.yaml:1: ConfigMap settings: the number 123456789012345678 is too large "
            "to be exact in JSON; write it as a text"
        )
    ]


def test_files_become_keys_of_a_config_map() -> None:
    unit = "{name: api, manifests: [{path: k8s/a.yaml}], configMaps: [{name: files, files: ['sql/*', logo.png]}]}"
    files: dict[str, Content] = {
        "k8s/a.yaml": CONFIG,
        "sql/1.sql": "select '{{ not a template }}'",
        "sql/2.sql": "ü",
        "logo.png": b"\x89PNG\xff",
    }
    result = planned(with_unit(unit), files)
    assert result.told == []
    body = result.body("ConfigMap", "files")
    assert body["data"] == {"1.sql": "select '{{ not a template }}'", "2.sql": "ü"}
    assert body["binaryData"] == {"logo.png": base64.b64encode(b"\x89PNG\xff").decode()}


def test_a_config_map_that_is_switched_off_is_not_made() -> None:
    unit = "{name: api, manifests: [{path: a.yaml}], configMaps: [{name: files, files: [gone], when: false}]}"
    assert names(unit, {"a.yaml": CONFIG}) == ["ConfigMap settings"]


@pytest.mark.parametrize(
    ("files", "content", "said"),
    [
        (
            "['*/x.txt']",
            {"a/x.txt": "1", "b/x.txt": "2"},
            "object_duplicate services.yaml:12: two files of the config map 'c' are called 'x.txt'; rename one",
        ),
        (
            "['*.sql']",
            {"a b.sql": "1"},
            (
                "object_identity services.yaml:12: the file 'a b.sql' cannot be a key of the config map 'c'; "
                "use letters, digits, '-', '_' and '.' in its name"
            ),
        ),
        (
            "['*.sql']",
            {"a.sql": "a" * 500_000, "b.sql": "b" * 500_000},
            (
                "configmap_size services.yaml:12: the files of the config map 'c' have 1000000 bytes; at most "
                "921600 fit, so split it, or put large files into an image"
            ),
        ),
        (
            "[token]",
            {"token": "ghp_" + "a" * 36},
            (
                "object_plain_secret services.yaml:12: ConfigMap c: data.token holds what looks like a secret "
                "(github_token, line 1 of the value); move it to spec.secrets"
            ),
        ),
    ],
)
def test_what_a_config_map_cannot_hold_is_said(files: str, content: dict[str, str], said: str) -> None:
    unit = f"{{name: api, manifests: [{{path: k8s/a.yaml}}], configMaps: [{{name: c, files: {files}}}]}}"
    assert planned(with_unit(unit), {"k8s/a.yaml": CONFIG, **content}).told == [said]


def test_exactly_the_limit_of_a_config_map_fits() -> None:
    unit = "{name: api, manifests: [{path: k8s/a.yaml}], configMaps: [{name: c, files: [a.bin]}]}"
    assert names(unit, {"k8s/a.yaml": CONFIG, "a.bin": "a" * 900 * 1024}) == ["ConfigMap c", "ConfigMap settings"]


def test_too_many_files_are_refused() -> None:
    files = {f"k8s/{number:04}.yaml": "# empty" for number in range(4001)}
    result = planned(with_unit("{name: api, manifests: [{path: 'k8s/*'}]}"), files)
    limits = "a stack may read at most 4000 files and 16777216 bytes"
    assert result.told == [f"too_many_files services.yaml:12: {limits}; 'k8s/4000.yaml' is too many"]


def test_a_file_may_serve_several_units() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ unit.name }}'}\n"
    both = "- {name: a, manifests: [{path: x.yaml}]}\n    - {name: b, manifests: [{path: x.yaml}]}"
    result = planned(with_unit("{}").replace("- {}", both), {"x.yaml": text})
    assert result.told == []
    assert [item.name for item in result.plan.objects] == ["a", "b"]
