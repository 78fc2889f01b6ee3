"""The names of templates and the values of ``vars`` (``stack.md`` sections 4.2 and 4.3)."""

import time

import pytest
from tests.fakes.stack_files import MemoryFiles
from tests.unit.deploys.preparing import CANDIDATE, LIVE, SHA, Entries, mistakes, prepared, ready
from tests.unit.deploys.stacks import ROOT, loaded, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.inputs import Platform, Selection
from stagewright.contexts.deploys.model.scope import MOST_RENDERS, Renders
from stagewright.contexts.deploys.model.sources import ConfigEntry, ConfigKind, Repositories, Scope
from stagewright.contexts.deploys.model.tree import Mapping
from stagewright.contexts.deploys.rules.preparing import unit_scope
from stagewright.contexts.deploys.rules.rendering import render_document, render_manifest

HEAD = (
    "spec:\n"
    "  environments: {live: {kind: production}, preview: {from: base, kind: candidate}, base: {kind: persistent}}\n"
)
ALL = frozenset({"production", "persistent", "candidate"})


def entry(key: str, value: str | None, environment: str = "*", **changes: object) -> ConfigEntry:
    """A variable of the configuration."""
    settings = {"kind": ConfigKind.VARIABLE, "scope": Scope.PROJECT, "version": 1, "audience": ALL, **changes}
    return ConfigEntry(key=key, value=value, environment=environment, **settings)  # type: ignore[arg-type]


def hook(*texts: str) -> str:
    """A hook whose arguments are ``texts``, as a line of ``spec``."""
    listed = ", ".join(f'"{text}"' for text in texts)
    return f"  orchestration: {{hooks: [{{name: a, phase: afterDeploy, image: a, command: [{listed}]}}]}}\n"


def command(text: str, selection: Selection = CANDIDATE, **changes: object) -> list[str]:
    """Return the rendered arguments of the hook."""
    return ready(HEAD + text, selection, **changes).stack.spec.orchestration.hooks[0].command


# Lookup of variables

LOOKUP = "  vars: {v: {config: KEY, default: d, environments: {base: b, live: l}}}\n" + hook("{{ vars.v }}")


@pytest.mark.parametrize(
    ("selection", "entries", "value", "origin"),
    [
        (
            CANDIDATE,
            (entry("KEY", "everywhere"), entry("KEY", "bound", "preview")),
            "bound",
            "KEY for preview in project",
        ),
        (CANDIDATE, (entry("KEY", "everywhere"),), "everywhere", "KEY for * in project"),
        (CANDIDATE, (entry("KEY", "p"), entry("KEY", "r", scope=Scope.REPOSITORY)), "r", "KEY for * in repository"),
        (CANDIDATE, (entry("KEY", "x", audience=frozenset({"production"})),), "b", "base"),
        (CANDIDATE, (entry("KEY", "", empty=True),), "b", "base"),
        (CANDIDATE, (), "b", "base"),
        (LIVE, (), "l", "live"),
    ],
)
def test_a_variable_is_looked_up_in_the_configuration_then_by_environment(
    selection: Selection, entries: tuple[ConfigEntry, ...], value: str, origin: str
) -> None:
    result = ready(HEAD + LOOKUP, selection, config=Entries(*entries))
    assert result.stack.spec.orchestration.hooks[0].command == [value]
    kind = "config" if entries and value not in ("b", "l") else "environment"
    assert dict(result.read_vars) == {"v": (value, f"{kind}:{origin}")}


def test_the_default_comes_last_and_a_value_given_by_hand_first() -> None:
    text = "  vars: {v: {config: KEY, default: d}}\n" + hook("{{ vars.v }}")
    assert command(text) == ["d"]
    assert command(text, config=Entries(entry("KEY", "c"))) == ["c"]
    assert command(text, config=Entries(entry("KEY", "c")), overrides={"v": "given"}) == ["given"]


def test_keys_are_overridden_as_for_secrets() -> None:
    text = (
        "  secretResolution: {keyOverrides: [{sourceKey: KEY, overrideKeys: {preview: OTHER}}]}\n"
        "  vars: {v: {config: KEY}}\n" + hook("{{ vars.v }}")
    )
    assert command(text, config=Entries(entry("KEY", "one"), entry("OTHER", "two"))) == ["two"]


def test_a_variable_that_needs_no_value_is_undefined() -> None:
    text = "  vars: {v: {required: false}}\n"
    assert command(text + hook("{{ vars.v | default('none') }}")) == ["none"]
    assert mistakes(HEAD + text + hook("{{ vars.v }}")) == [
        (
            "template_undefined services.yaml:7: 'vars.v' has no value in the environment 'preview', and needs none; "
            "read it by default(…)"
        )
    ]


def test_values_are_never_templates() -> None:
    assert command("  vars: {v: {default: '{{ env.name }}'}}\n" + hook("{{ vars.v }}")) == ["{{ env.name }}"]


SECRET = entry("KEY", None, kind=ConfigKind.SECRET)
MISTAKES = [
    (
        "  vars: {v: {config: KEY}}\n" + hook("{{ vars.v }}", "{{ vars.v }}"),
        (),
        (
            "var_unresolved @6: the variable 'v' has no value; tried: the configuration entry 'KEY', "
            "environments.preview, environments.base, default"
        ),
    ),
    (
        "  vars: {v: {config: KEY, default: d}}\n" + hook("{{ vars.v }}"),
        (SECRET,),
        "template_secret @6: the configuration key 'KEY' is a secret: templates read variables alone, never secrets",
    ),
    (
        "  vars: {v: {config: KEY, default: d}}\n" + hook("{{ vars.v }}"),
        (entry("KEY", None, kind=ConfigKind.SECRET, audience=frozenset({"production"})),),
        "template_secret @6: the configuration key 'KEY' is a secret: templates read variables alone, never secrets",
    ),
    (
        "  vars: {v: {config: KEY, default: d}}\n" + hook("{{ vars.v }}"),
        (entry("KEY", None, readable=False),),
        "value_undecryptable @6: the value of the configuration key 'KEY' cannot be decrypted: store it again",
    ),
    (
        "  vars: {v: {config: KEY, pattern: '[a-z]+'}}\n" + hook("{{ vars.v }}"),
        (entry("KEY", "a1"),),
        "var_pattern @6: the value 'a1' of the variable 'v' does not match '[a-z]+'",
    ),
    (
        "  vars: {v: {default: a1, pattern: '[a-z]+'}}\n" + hook("{{ vars.v }}"),
        (),
        "var_pattern @6: the value 'a1' of the variable 'v' does not match '[a-z]+'",
    ),
    (
        "  vars: {v: {default: a, pattern: '[a-z]+', environments: {live: 'A'}}}\n",
        (),
        "var_pattern @6: the value 'A' of the variable 'v' does not match '[a-z]+'",
    ),
    (
        "  vars: {v: {default: a, pattern: '(?=a)a'}}\n",
        (),
        "bad_value @6: the pattern '(?=a)a' cannot be used: it is no regular expression without look-around",
    ),
    (
        "  vars: {v: {config: KEY}}\n" + hook("{{ vars.v }}"),
        (entry("KEY", "é" * 2049),),
        "template_limit @6: the value of the variable 'v' is longer than 4 KiB",
    ),
    (hook("{{ vars.w }}"), (), "template_undefined @6: 'vars.w' is not known here; nothing is known in 'vars'"),
    (
        hook("{{ unit.name }}"),
        (),
        "template_undefined @6: 'unit' is only known in manifests of units",
    ),
    (
        "  images: {api: {type: build, args: {A: '{{ images.api }}'}}}\n",
        (),
        "template_undefined @6: 'images' is only known in manifests and hooks",
    ),
    (hook("{{ images.a }}"), (), "template_undefined @6: 'images.a' is not known here; nothing is known in 'images'"),
    (
        "  services: [{name: a, when: '{{ env.name }}', manifests: [{path: a.yaml}]}]\n",
        (),
        "when_not_bool @6: when must be true or false, and the template gives 'preview'",
    ),
    (
        "  services: [{name: a, manifests: [{path: a.yaml}], expose: [{service: a, port: '{{ env.name }}'}]}]\n",
        (),
        "wrong_type @6: port must be a whole number, not the text 'preview'",
    ),
    (hook("{{ 1 * 2 }}"), (), "template_forbidden @6: * is not allowed in expressions"),
    (hook("{{ a b }}"), (), "template_syntax @6: the expression cannot be read from 'b' on"),
    (hook("{{ 'a' | int }}"), (), "template_type @6: 'a' is not a whole number"),
]


@pytest.mark.parametrize(("text", "entries", "said"), MISTAKES)
def test_a_mistake_is_said_at_its_line(text: str, entries: tuple[ConfigEntry, ...], said: str) -> None:
    assert mistakes(HEAD + text, config=Entries(*entries)) == [said.replace("@", "services.yaml:")]


@pytest.mark.parametrize(
    "text",
    [
        "  vars: {v: {default: a1, pattern: '[a-z]+[0-9]'}}\n",
        "  vars: {v: {default: a@b, pattern: '[^@\\s]+@[^@\\s]+'}}\n",
        "  vars: {v: {default: b, pattern: 'a|b'}}\n",
        "  vars: {unused: {config: KEY}}\n",
        "  services: [{name: a, when: \"{{ env.name == 'x' }}\", manifests: [{path: a.yaml}]}]\n",
    ],
)
def test_what_is_right_is_not_complained_of(text: str) -> None:
    assert mistakes(HEAD + text) == []


def test_a_pattern_that_is_slow_elsewhere_is_quick_here() -> None:
    """Patterns come from candidates: none may keep a worker busy."""
    for pattern in ("(a+)+$", "(a|aa)+$", "(.*a){20}"):
        start = time.thread_time()
        assert mistakes(HEAD + f"  vars: {{v: {{default: '{'a' * 4000}!', pattern: '{pattern}'}}}}\n")
        assert time.thread_time() - start < 1


# Names


def test_everything_that_templates_may_know() -> None:
    other = "f" * 40
    sources = {ROOT: MemoryFiles({}, identity=SHA), "ui": MemoryFiles({}, identity=other)}
    names = [
        "project.key", "project.name", "env.name", "env.kind", "candidate.key", "candidate.issue", "namespace",
        "domain", "url", "platform.domain", "platform.candidateDomain", "platform.registry", "platform.ingressClass",
        "versions.api", "versions.plain", "source.sha", "source.short", "source.repositories.ui.sha",
        "singletons.mailer.namespace",
    ]  # fmt: skip
    text = (
        "  versions: {api: {value: '2'}, plain: '3'}\n"
        "  services: [{name: mailer, scope: singleton, manifests: [{path: a.yaml}]}]\n"
        + hook(*(f"<{{{{ {name} }}}}>" for name in names))
    )
    platform = Platform(domain="a.org", candidate_domain="b.org", registry="c.org", ingress_class="nginx")
    rendered = command(text, platform=platform, repositories=Repositories(root=ROOT, sources=sources))
    assert [value.strip("<>") for value in rendered] == [
        "shop", "The shop", "preview", "candidate", "i7", "7", "shop-i7", "i7-shop.b.org", "https://i7-shop.b.org",
        "a.org", "b.org", "c.org", "nginx", "2", "3", SHA, SHA[:7], other, "shop-live",
    ]  # fmt: skip


def test_names_that_may_be_absent_are_read_by_default() -> None:
    names = ("candidate.key", "candidate.issue", "domain", "url", "platform.ingressClass", "singletons.x.namespace")
    text = hook(*(f"{{{{ {name} | default('none') }}}}" for name in names))
    assert command(text, LIVE, platform=Platform()) == ["none"] * len(names)


def test_the_issue_of_a_candidate_in_one_of_several_repositories() -> None:
    selection = Selection(environment="preview", candidate="ui-i12", issue=12)
    assert command(hook("{{ candidate.key }}", "{{ candidate.issue }}x"), selection) == ["ui-i12", "12x"]


def test_the_issue_of_a_candidate_is_read_from_its_key_where_nobody_gives_it() -> None:
    for key, issue in (("i12", 12), ("ui-i12", 12), ("strange", 0)):
        assert command(hook("{{ candidate.issue }}x"), Selection(environment="preview", candidate=key)) == [f"{issue}x"]


def test_switched_off_items_need_no_values() -> None:
    text = """
          images:
            api: {type: build, when: "{{ env.kind == 'candidate' }}", target: "{{ candidate.key }}", args: {A: x}}
          services:
            - name: a
              when: "{{ env.kind == 'candidate' }}"
              manifests: [{path: "{{ candidate.key }}.yaml"}]
              hooks: [{name: h, phase: afterUnit, image: api, command: ["{{ candidate.key }}"]}]
            - name: b
              manifests:
                - {path: "{{ candidate.key }}.yaml", when: false}
                - {path: "{{ candidate.key }}-2.yaml", when: "{{ env.kind == 'candidate' }}"}
              hooks:
                - {name: h, when: false, phase: afterUnit, image: api, command: ["{{ candidate.key }}"], retries: 1}
    """
    result, found = prepared(HEAD + text.replace("\n        ", "\n"), LIVE)
    assert not found.items, told(found)
    assert result is not None
    spec = result.stack.spec
    assert (spec.images["api"].target, spec.images["api"].args) == (None, {"A": "x"})
    assert spec.services[0].manifests == []
    assert [item.when for item in spec.services[1].manifests] == [False, False]


def test_conditions_stand_only_where_the_page_has_them_and_free_keys_are_rendered() -> None:
    args = "{when: '{{ env.name }}', x-a: '{{ env.kind }}'}"
    text = "  images: {api: {type: build, x-note: '{{ nothing }}', args: ARGS}}\n".replace("ARGS", args)
    assert ready(HEAD + text).stack.spec.images["api"].args == {"when": "preview", "x-a": "candidate"}


def test_a_plan_renders_a_bounded_number_of_expressions() -> None:
    prepared_stack, found = ready(HEAD), Findings()
    scope = unit_scope(prepared_stack, "a", "b", {})
    scope.renders.left = 3
    tree = loaded("spec: {}\na: '{{ 1 }}{{ 2 }}'\nb: '{{ 1 }}{{ 2 }}'\nc: '{{ 1 }}'").tree
    data = render_document(tree, scope, found)
    assert told(found) == [
        "template_limit services.yaml:6: a plan renders at most 20,000 expressions; use fewer templates"
    ]
    assert isinstance(data, dict)
    assert (data["a"], data["b"], data["c"]) == ("12", "{{ 1 }}{{ 2 }}", "{{ 1 }}")
    assert Renders().left == MOST_RENDERS == 20_000


def test_the_path_of_a_mistake_names_items_of_keyed_lists() -> None:
    text = "  services: [{name: a, manifests: [{path: a.yaml}], expose: [{service: '{{ x }}', port: 1}]}]\n"
    (item,) = prepared(HEAD + text)[1].items
    assert item.path == "/spec/services/a/expose/0/service"
    assert item.at is not None
    assert item.at.line == 6


def test_what_is_not_rendered_is_shared_with_what_was_read() -> None:
    tree = loaded("spec: {}\na: {b: [1, 2]}\nc: {d: '{{ env.name }}', e: [3]}").tree
    rendered = render_manifest(tree, ready(HEAD).variables, Findings())
    assert rendered is not tree
    assert rendered.items["a"] is tree.items["a"]
    before, after = tree.items["c"], rendered.items["c"]
    assert isinstance(before, Mapping)
    assert isinstance(after, Mapping)
    assert after.items["e"] is before.items["e"]
    assert after.items["d"].at == before.items["d"].at


def test_a_stack_of_another_project_is_refused() -> None:
    text = HEAD.replace("spec:\n", "spec:\n  project: other\n")
    assert mistakes(text) == [
        "project_mismatch services.yaml:5: the stack is that of the project 'other', and this project is 'shop'"
    ]
    assert mistakes(HEAD.replace("spec:\n", "spec:\n  project: shop\n")) == []
