"""From repositories to one merged tree."""

from tests.fakes.stack_files import Link
from tests.unit.deploys.stacks import a_stack, fragment, loaded, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.tree import plain
from stagewright.contexts.deploys.rules.loading import load


def problems(*words: object, **more: object) -> list[str]:
    """Load a stack and return what is wrong with it."""
    found = Findings()
    load(a_stack(*words, **more), found)  # type: ignore[arg-type]
    return told(found)


def test_an_importing_file_overrides_what_it_imports() -> None:
    result = loaded(
        """
        spec:
          imports: [a.yaml]
          vars: {level: {default: info}}
          services: [{name: web, protected: true}]
        """,
        {
            "a.yaml": fragment(
                """
                spec:
                  vars: {level: {default: debug}, host: {default: h}}
                  services:
                    - {name: web, manifests: [{path: web.yaml}]}
                    - {name: api}
                """
            )
        },
    )
    assert plain(result.tree) == {
        "apiVersion": "stagewright.dev/v1alpha1",
        "kind": "ServiceStack",
        "metadata": {"name": "shop"},
        "spec": {
            "vars": {"level": {"default": "info"}, "host": {"default": "h"}},
            "services": [{"name": "api"}, {"name": "web", "protected": True, "manifests": [{"path": "web.yaml"}]}],
        },
    }
    assert {path: [str(at) for at in places] for path, places in result.shadowed.items()} == {
        ("spec", "vars", "level", "default"): ["a.yaml:4"]
    }


def test_files_that_do_not_import_each_other_must_agree() -> None:
    files = {
        "a.yaml": fragment("spec: {vars: {level: {default: info}}}"),
        "b.yaml": fragment("spec: {vars: {level: {default: debug}}}"),
    }
    assert problems("spec: {imports: [a.yaml, b.yaml]}", files) == [
        (
            "merge_conflict a.yaml:3: /spec/vars/level/default is 'info' in a.yaml:3 and 'debug' in b.yaml:3; "
            "keep one of them, or set it in a file that imports both"
        )
    ]
    assert problems("spec: {imports: [a.yaml, b.yaml], vars: {level: {default: warn}}}", files) == []


def test_a_cycle_is_named_as_a_whole() -> None:
    files = {"a.yaml": fragment("spec: {imports: [b.yaml]}"), "b.yaml": fragment("spec: {imports: [a.yaml]}")}
    assert problems("spec: {imports: [a.yaml]}", files) == [
        "import_cycle b.yaml:3: the imports go in a circle: a.yaml -> b.yaml -> a.yaml; remove one of them"
    ]


def test_no_import_leaves_its_repository() -> None:
    files = {"link.yaml": Link("../secret.yaml")}
    assert problems("spec: {imports: [../x.yaml, /etc/passwd, link.yaml, '../*.yaml']}", files) == [
        f"import_outside services.yaml:4: the import '{path}' leads out of its repository; name a file inside"
        for path in ("../x.yaml", "/etc/passwd", "link.yaml", "../*.yaml")
    ]


def test_every_problem_of_a_file_is_told_at_its_line() -> None:
    text = """
    spec:
      a: {{ x }}
      b: yes
      c:
      d: 1
      d: 2
      e: !thing x
      <<: {a: 1}
      f: !raw "{{ x }}"
    """
    assert problems(text) == [
        "template_unquoted services.yaml:5: the template '{{ x }}' has no quotes",
        (
            "ambiguous_scalar services.yaml:6: 'yes' is text here and true or false elsewhere; "
            "quote it, or write true or false"
        ),
        "null_value services.yaml:7: null is not a value here; give a value, or leave the key out",
        "yaml_duplicate_key services.yaml:9: the key 'd' stands here and in line 8; remove one",
        "yaml_tag services.yaml:10: the tag '!thing' is not supported; only !raw is",
        "yaml_merge_key services.yaml:11: the merge key << is not supported; write the values out",
    ]
