"""Reading and rendering of prompt texts. Texts may hold variables and conditions, nothing that loops or calls.

Project texts come from repositories: the syntax tree is checked against an allow-list before it is compiled, so that
neither an endless loop nor a huge multiplication can reach the worker.
"""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib import resources

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stagewright.contexts.agents.errors import CatalogueBroken, OverrideInvalid
from stagewright.contexts.agents.model import ROLE_NAMES, Catalogue, PartKey, PromptKind, PromptMode
from stagewright.contexts.agents.rules.variables import VARIABLES
from stagewright.kit.errors import FieldProblem

STAGES = (
    "intake", "vision", "prd", "arch", "design", "plan", "dev",
    "doc-audit", "qa", "release", "postdeploy", "ops", "self-improve",
)  # fmt: skip
SPECIAL_STAGES = ("rethink", "ai-repair", "reviewer", "discussion")
FRAMES = ("facts", "documents", "progress", "untrusted")
LOCALES = ("en", "ru")
PACKAGE = "stagewright.contexts.agents"

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "base": ("base",),
    "completion": ("completion",),
    "resume": ("resume",),
    "role": tuple(ROLE_NAMES),
    "stage": STAGES + SPECIAL_STAGES,
    "kind": tuple(PromptKind),
    "mode": tuple(PromptMode),
    "frame": FRAMES,
}
ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Tuple, nodes.List,
)  # fmt: skip

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
)
_ENVIRONMENT.globals.clear()


@cache
def load_catalogue() -> Catalogue:
    """Read the built-in texts and check them. Raise ``CatalogueBroken``: the program must not start without them."""
    catalogue = Catalogue(dict(_files()))
    check_catalogue(catalogue)
    return catalogue


def _files() -> Iterator[tuple[PartKey, str]]:
    root = resources.files(PACKAGE).joinpath("rules", "parts")
    for entry in root.iterdir():
        for file in entry.iterdir() if entry.is_dir() else (entry,):
            name, locale, _ = file.name.split(".")
            part = entry.name if entry.is_dir() else name
            yield PartKey(part, name, locale), file.read_text(encoding="utf-8")


def check_catalogue(catalogue: Catalogue) -> None:
    """Raise ``CatalogueBroken`` when a text is missing in one of the languages, is not used, or cannot be rendered."""
    problems: list[FieldProblem] = []
    for part, names in REQUIRED.items():
        for name in names:
            for locale in LOCALES:
                key = PartKey(part, name, locale)
                if key not in catalogue.texts:
                    problems.append(FieldProblem(f"/{key.path}", "missing", f"add the text {key.path}"))
    for key, text in catalogue.texts.items():
        if key.name not in REQUIRED.get(key.part, ()):
            problems.append(FieldProblem(f"/{key.path}", "unknown", f"no prompt uses {key.path}: remove it"))
        problems += [FieldProblem(f"/{key.path}", "template", line) for line in template_problems(text)]
    if problems:
        places = ", ".join(problem.pointer[1:] for problem in problems[:5])
        raise CatalogueBroken(f"the built-in prompt texts are not complete: {places}", problems=tuple(problems))


def template_problems(source: str) -> list[str]:
    """Return what is wrong with a text as a template: syntax, forbidden constructs, unknown variables."""
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        return [f"line {error.lineno}: {error.message}; to show braces write {{% raw %}}…{{% endraw %}}"]
    except RecursionError:
        return ["nest conditions less deeply"]
    problems = [
        f"line {node.lineno}: {type(node).__name__.lower()} is not allowed; use variables and if only"
        for node in tree.find_all(nodes.Node)
        if not isinstance(node, ALLOWED)
    ]
    unknown = meta.find_undeclared_variables(tree) - set(VARIABLES)
    first = {name.name: name.lineno for name in reversed(list(tree.find_all(nodes.Name)))}
    return problems + [
        f"line {first[name]}: {name} is no variable; known are {', '.join(VARIABLES)}" for name in sorted(unknown)
    ]


def render(source: str, values: Mapping[str, str], *, path: str) -> str:
    """Render a text with ``values``. Raise ``OverrideInvalid`` naming ``path`` when it is no allowed template."""
    compiled = _compiled(source)
    if not isinstance(compiled, Template):
        problems = tuple(FieldProblem(f"/{path.replace('/', '~1')}", "template", line) for line in compiled)
        raise OverrideInvalid(f"the prompt text {path} cannot be used: {compiled[0]}", problems=problems)
    try:
        return compiled.render(values).strip()
    except (TemplateError, TypeError) as error:
        remedy = f"a condition compares what cannot be compared; all variables are texts ({error})"
        problem = FieldProblem(f"/{path.replace('/', '~1')}", "template", remedy)
        raise OverrideInvalid(f"the prompt text {path} cannot be used: {remedy}", problems=(problem,)) from error


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template | tuple[str, ...]:
    problems = template_problems(source)
    return tuple(problems) if problems else _ENVIRONMENT.from_string(source)
