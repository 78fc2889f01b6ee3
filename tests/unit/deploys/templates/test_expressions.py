"""What expressions mean, and what they are refused for (``stack.md`` section 4)."""

import pytest
from tests.unit.deploys.templates.expressions import computed, rendered

RESULTS: list[tuple[str, object]] = [
    # literals and names
    ("'text'", "text"),
    ('"a" "b"', "ab"),
    ("12", 12),
    ("-3", -3),
    ("+3", 3),
    ("true", True),
    ("False", False),
    ("project.key", "shop"),
    ('project["name"]', "The Shop"),
    ("namespace", "shop-i7"),
    ("'{{'", "{{"),
    # operators
    ("env.kind == 'candidate'", True),
    ("env.kind != 'candidate'", False),
    ("1 < 2 <= 2", True),
    ("2 > 3 or 3 >= 3", True),
    ("'a' in ['a', 'b']", True),
    ("'view' in env.name", True),
    ("'api' not in versions", False),
    ("not env.name", False),
    ("env.name and vars.level", "info"),
    ("1 if env.kind == 'candidate' else 3", 1),
    ("1 if env.kind == 'production' else 3", 3),
    ("'a' ~ 1 ~ true", "a1true"),
    ("1 + 2 - 5", -2),
    # tests, filters and functions
    ("candidate.key is defined", False),
    ("candidate.key is not defined", True),
    ("candidate.key.more is defined", False),
    ("project.key is defined", True),
    ("none is none", True),
    ("candidate.key | default('none')", "none"),
    ("project.key | default('none')", "shop"),
    ("vars.empty | default('none')", ""),
    ("vars.empty | default('none', true)", "none"),
    ("vars.empty | default('none', false)", ""),
    ("project.name | lower", "the shop"),
    ("project.name | upper", "THE SHOP"),
    ("'  a ' | trim", "a"),
    ("project.name | replace(' ', '_')", "The_Shop"),
    ("['a', 1, true] | join('-')", "a-1-true"),
    ("['a', 'b'] | join", "ab"),
    ("env.name | removeprefix('pre')", "view"),
    ("env.name | removesuffix('view')", "pre"),
    ("'A  b_C!' | slug", "a-b-c"),
    ("'Ünï' | slug", "n"),
    ("'A b' | dns_label", "a-b"),
    ("'abcdefghijkl' | dns_label(10)", "abc-d682ed"),
    ("'abcdefghijkl' | dns_label(n=12)", "abcdefghijkl"),
    ("'a' | short_hash", "ca978112"),
    ("'a' | short_hash(4)", "ca97"),
    ("vars.number | int", 12),
    ("'-7' | int", -7),
    ("7 | int", 7),
    ("12 | string", "12"),
    ("true | string", "true"),
    ("vars.yes | bool", True),
    ("'false' | bool", False),
    ("true | bool", True),
    ("['a', 1, true, none, [1.5]] | json", '["a",1,true,null,[1.5]]'),
    ("'ü\"' | json", '"ü\\""'),
    ("coalesce(candidate.key, vars.empty, none, vars.level)", "info"),
    ("omit", "omit"),
    ("omit if env.kind == 'candidate' else 'x'", "omit"),
    ("candidate.key | default(omit)", "omit"),
    ("images.api", "registry.example.org/api@sha256:1"),
    ("images.api if env.kind == 'candidate' else images.other", "registry.example.org/api@sha256:1"),
]


@pytest.mark.parametrize(("expression", "result"), RESULTS)
def test_an_expression_means_what_the_page_says(expression: str, result: object) -> None:
    value = computed(expression)
    assert (type(value), value) == (type(result), result)


ROOTS = "project, env, candidate, namespace, domain, url, platform, versions, vars, source, images, unit, singletons"
FILTERS = (
    "bool, default, dns_label, int, join, json, lower, removeprefix, removesuffix, replace, short_hash, slug, string, "
    "trim, upper"
)
IMAGES = "template_forbidden: images may be inserted, but no filter, operator or test may look at them"
UNDERSCORE = "template_forbidden: names that start with an underscore, as '{}', are not allowed"
MISTAKES = [
    # template_syntax
    ("", "template_syntax: `{{ }}` holds no expression"),
    ("a b", "template_syntax: the expression cannot be read from 'b' on"),
    ("1 +", "template_syntax: the expression cannot be read: unexpected 'end of template'"),
    ("'a", 'template_syntax: the expression cannot be read: unexpected char "\'" at 3'),
    ("1 if true", "template_syntax: `x if c` needs an else: write `x if c else y`"),
    ("'a' | replace('b')", "template_syntax: the filter 'replace' takes 2 values in brackets"),
    ("'a' | lower(1)", "template_syntax: the filter 'lower' takes 0 values in brackets"),
    ("'a' | default", "template_syntax: the filter 'default' takes 1 to 2 values in brackets"),
    ("'a' | short_hash(m=4)", "template_syntax: the filter 'short_hash' takes 0 to 1 values in brackets"),
    ("coalesce()", "template_syntax: coalesce takes one or more values in brackets"),
    # template_forbidden
    ("1 * 2", "template_forbidden: * is not allowed in expressions"),
    ("2 ** 2", "template_forbidden: ** is not allowed in expressions"),
    ("1 / 2", "template_forbidden: / is not allowed in expressions"),
    ("1 // 2", "template_forbidden: // is not allowed in expressions"),
    ("1 % 2", "template_forbidden: % is not allowed in expressions"),
    ("{'a': 1}", "template_forbidden: a map is not allowed in expressions"),
    ("(1, 2)", "template_forbidden: a tuple is not allowed in expressions"),
    ("project.key[1:2]", "template_forbidden: a slice is not allowed in expressions"),
    ("vars[env.name]", 'template_forbidden: only a text may stand in brackets, as in vars["name"]'),
    ("vars[0]", 'template_forbidden: only a text may stand in brackets, as in vars["name"]'),
    ("'a'.upper", "template_forbidden: names can only be read from the maps that templates know"),
    ("project._key", UNDERSCORE.format("_key")),
    (
        "project['__class__']",
        UNDERSCORE.format("__class__"),
    ),
    ("project.key.upper()", "template_forbidden: only coalesce(…) can be called in expressions"),
    ("slug('a')", "template_forbidden: only coalesce(…) can be called in expressions"),
    ("'a' | capitalize", f"template_forbidden: the filter 'capitalize' does not exist; filters: {FILTERS}"),
    ("1 is odd", "template_forbidden: the test 'odd' does not exist; tests: defined, none"),
    (
        "images.api | upper",
        IMAGES,
    ),
    ("images.api ~ ''", IMAGES),
    (
        "'x' in images.api",
        IMAGES,
    ),
    (
        "images.a is defined",
        IMAGES,
    ),
    # template_undefined
    ("project.kye", "template_undefined: 'project.kye' is not known here; known names: project.key, project.name"),
    ("candidate.key", "template_undefined: 'candidate.key' is not known here; nothing is known in 'candidate'"),
    ("images.ui", "template_undefined: 'images.ui' is not known here; known names: images.api"),
    ("unit.name", "template_undefined: 'unit' is elsewhere"),
    ("environ.PATH", f"template_undefined: 'environ' is not known; known names: {ROOTS}"),
    ("self", f"template_undefined: 'self' is not known; known names: {ROOTS}"),
    ("range | default('')", f"template_undefined: 'range' is not known; known names: {ROOTS}"),
    ("not project.kye", "template_undefined: 'project.kye' is not known here; known names: project.key, project.name"),
    ("coalesce(candidate.key, '')", "template_undefined: coalesce found no value: every one is undefined or empty"),
    # template_type
    ("project.key.more", "template_type: a text has no names in it, so 'more' cannot be read from it"),
    ("project", "template_type: the group of names 'project' cannot be turned into text"),
    ("none", "template_type: nothing (none) cannot be turned into text"),
    ("1.5", "template_type: a number with a fraction cannot be turned into text"),
    ("['a']", "template_type: a list cannot be turned into text"),
    ("'a' + 'b'", "template_type: + and - take whole numbers, and this is a text; ~ puts texts together"),
    ("1 + true", "template_type: + and - take whole numbers, and this is a truth value; ~ puts texts together"),
    ("-'a'", "template_type: + and - take whole numbers, and this is a text; ~ puts texts together"),
    ("'1x' | int", "template_type: '1x' is not a whole number"),
    ("true | int", "template_type: True is not a whole number"),
    ("'yes' | bool", "template_type: 'yes' is not true or false"),
    ("1 | bool", "template_type: 1 is not true or false"),
    ("omit + 1", "template_type: + and - take whole numbers, and this is omit; ~ puts texts together"),
    ("omit ~ 'a'", "template_type: omit removes a whole value: it cannot be a part of a text"),
    ("omit | int", "template_type: omit removes a whole value: it cannot be a part of a text"),
    ("'a' | join('-')", "template_type: join puts the items of a list together, and this is a text"),
    ("'!' | dns_label", "template_type: dns_label finds no letter and no digit in '!'"),
    ("'a' | dns_label(7)", "template_type: n of dns_label is a whole number from 8 to 63"),
    ("'a' | dns_label('8')", "template_type: n of dns_label is a whole number from 8 to 63"),
    ("'a' | short_hash(41)", "template_type: n of short_hash is a whole number from 4 to 40"),
    ("'a' | replace('', 'b')", "template_type: replace was asked to replace an empty text: name what to replace"),
    (
        "'a' < 1",
        "template_type: the expression cannot be computed: '<' not supported between instances of 'str' and 'int'",
    ),
    # template_limit
    ("'" + "a" * 1023 + "'", "template_limit: an expression has at most 1,024 characters; split it, or use vars"),
    ("1" + "+1" * 50, "template_limit: an expression has at most 100 parts; split it, or use vars"),
    ("(" * 21 + "1" + ")" * 21, "template_limit: an expression has at most 100 parts; split it, or use vars"),
    ("vars.long | replace('a', vars.long)", "template_limit: the result is longer than 64 KiB"),
    (" ~ ".join(["vars.long"] * 17), "template_limit: the result is longer than 64 KiB"),
    ("[" + ",".join(["vars.long"] * 17) + "] | join", "template_limit: the result is longer than 64 KiB"),
    ("[" + ",".join(["vars.long"] * 17) + "] | json", "template_limit: the result is longer than 64 KiB"),
    ("9223372036854775807 + 1", "template_limit: a number is larger than 64 bits"),
    ("9223372036854775808", "template_limit: a number is larger than 64 bits"),
    ("1e999", "template_limit: a number is too large"),
]


@pytest.mark.parametrize(("expression", "message"), MISTAKES)
def test_an_expression_is_refused_with_what_to_change(expression: str, message: str) -> None:
    assert computed(expression) == message


TEXTS = [
    ("a{{ 1 }}b{{ true }}", "a1btrue"),
    ("{{ project.key }}-{{ env.name }}", "shop-preview"),
    ("{{project.key}}", "shop"),
    (" {{ 1 }}", " 1"),
    ("{{ 1 }}\r\nx\r", "1\r\nx\r"),
    ("{{ project.key }}\n\n", "shop\n\n"),
    ("x {{- 1 -}} y", "x1y"),
    ("{ {{ project.key }} }", "{ shop }"),
    ("}} {{ '}}' }} }}", "}} }} }}"),
    ("{{ project.key", "template_syntax: `{{` is not closed: write `}}` after the expression"),
    ("{{{ project.key }}", "template_syntax: the expression cannot be read: unexpected '}'"),
    (
        "{% if x %}{{ 1 }}",
        "template_forbidden: statements `{% … %}` are not allowed: only expressions in `{{ … }}` are",
    ),
    (
        "{% raw %}{{ 1 }}{% endraw %}",
        "template_forbidden: statements `{% … %}` are not allowed: tag the value !raw to keep braces as they are",
    ),
    (
        "{# a #}{{ 1 }}",
        "template_forbidden: comments `{# … #}` are not allowed inside values: use a YAML comment",
    ),
    ("a{{ omit }}", "template_type: omit removes a whole value: it cannot be a part of a text"),
    ("{{ 1 }}" + "x" * 65536, "template_limit: a value with templates has at most 64 KiB; split it, or tag it !raw"),
    ("{{ vars.long }}" * 17, "template_limit: the result is longer than 64 KiB"),
]


@pytest.mark.parametrize(("text", "result"), TEXTS)
def test_a_text_is_split_into_text_and_expressions(text: str, result: str) -> None:
    assert rendered(text) == result
