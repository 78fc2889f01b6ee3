"""Expressions for tests: one scope that has something of everything, and a way to render a text in it."""

from stagewright.contexts.deploys.model.scope import Fixed, Names, Scope, Value
from stagewright.contexts.deploys.rules.templates.compiling import Omitted, compiled
from stagewright.contexts.deploys.rules.templates.problems import Refused
from stagewright.contexts.deploys.rules.templates.values import context


class Watched(Names):
    """A map that remembers what was read from it."""

    def __init__(self, path: str, values: dict[str, Value], read: set[str]) -> None:
        self.path = path
        self.values = values
        self.read = read

    def find(self, name: str) -> Value | None:
        """Return the value of ``name`` and remember that it was read."""
        self.read.add(f"{self.path}.{name}")
        return self.values.get(name)

    def known(self) -> tuple[str, ...]:
        """Return the names in it."""
        return tuple(sorted(self.values))


VALUES: dict[str, dict[str, Value]] = {
    "project": {"key": "shop", "name": "The Shop"},
    "env": {"name": "preview", "kind": "candidate"},
    "candidate": {},
    "platform": {"registry": "registry.example.org"},
    "versions": {"api": "2.4.07"},
    "vars": {"level": "info", "empty": "", "number": "12", "yes": "true", "long": "ab" * 2000},
}


def a_scope(read: set[str] | None = None) -> Scope:
    """A scope of a candidate; ``read`` collects what is read."""
    kept = read if read is not None else set()
    maps: dict[str, Value] = {name: Watched(name, dict(values), kept) for name, values in VALUES.items()}
    images: dict[str, Value] = {"api": "registry.example.org/api@sha256:1"}
    return Scope({**maps, "namespace": "shop-i7", "images": Fixed("images", images)}, {"unit": "is elsewhere"})


def rendered(text: str, scope: Scope | None = None) -> object:
    """Return the result; ``omit`` for one that is omitted, and ``code: message`` for one that is refused."""
    try:
        return compiled(text).render(context(scope or a_scope()))
    except Omitted:
        return "omit"
    except Refused as refused:
        return f"{refused.code}: {refused.message}"


def computed(expression: str) -> object:
    """Return the result of one expression."""
    return rendered("{{ " + expression + " }}")
