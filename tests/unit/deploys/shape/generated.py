"""Hypothesis strategies for stacks, made from the types: every field can occur, and every value is allowed."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic.fields import FieldInfo
from pydantic.types import StringConstraints

from stagewright.contexts.deploys.model.document.environments import Egress, Variable
from stagewright.contexts.deploys.model.document.fields import Block, QuantityForm, Templated
from stagewright.contexts.deploys.model.document.images import ONLY, Image
from stagewright.contexts.deploys.model.document.secrets import SOURCES, KeySource
from stagewright.contexts.deploys.model.document.stack import API_VERSION, Spec
from stagewright.contexts.deploys.rules.shape.forms import KEYS

Plain = dict[str, Any]
_LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn", "Zl", "Zp"))
texts = st.text(_LETTERS, min_size=1, max_size=12).filter(lambda text: "{{" not in text)
quantities = st.sampled_from(["500m", "2", "8Gi", ".5", "1e3", "0", 4])
templates = st.sampled_from(["{{ vars.x }}", "a-{{ env.name }}", "{{ omit }}"])
extensions = st.dictionaries(st.sampled_from(["x-a", "x-note-2"]), st.just("anything"), max_size=1)


def stacks(*, templated: bool) -> st.SearchStrategy[Plain]:
    """Return whole documents without imports; ``templated``: with templates where they may stand."""
    return st.builds(_document, blocks(Spec, templated), st.sampled_from(["shop", "a", "b-2"]), extensions)


def _document(spec: Plain, name: str, extra: Plain) -> Plain:
    spec = {"environments": {"live": {"kind": "production"}}, **spec}
    for alien in ("imports", "repositories"):
        spec.pop(alien, None)
    return {"apiVersion": API_VERSION, "kind": "ServiceStack", "metadata": {"name": name}, "spec": spec, **extra}


@cache
def blocks(block: type[Block], templated: bool) -> st.SearchStrategy[Plain]:
    """Return documents of a map with fixed fields: those that are required, and a few of the others."""
    infos = {info.alias or name: info for name, info in block.model_fields.items()}
    required = [name for name, info in infos.items() if info.is_required()]
    others = [name for name in infos if name not in required]
    some = st.lists(st.sampled_from(others), max_size=3, unique=True) if others else st.just([])
    mend = _MENDED.get(block, dict)

    @st.composite
    def made(draw: st.DrawFn) -> Plain:
        names = [*required, *draw(some)]
        value = {name: draw(of(_annotated(infos[name]), templated, name)) for name in names}
        return {**mend(value), **draw(extensions)}

    return made()


def _annotated(info: FieldInfo) -> Any:
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


def of(annotation: Any, templated: bool, name: str = "") -> st.SearchStrategy[Any]:
    """Return values of a type."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _constrained(args[0], args[1:], templated, name)
    if origin is Literal:
        return st.sampled_from(args)
    if origin is list:
        lists = st.lists(of(args[0], templated), min_size=1, max_size=2)
        return st.builds(_distinct, lists, st.just(KEYS.get(name, ())))
    if origin is dict:
        keys = of(args[0], False).filter(lambda key: not key.startswith("$"))
        return st.dictionaries(keys, of(args[1], templated), min_size=1, max_size=2)
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return blocks(annotation, templated)
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    return st.one_of([of(item, templated, name) for item in args if item is not type(None)])


_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    bool: st.booleans(),
    int: st.integers(-1000, 1000),
}


def _constrained(inner: Any, words: tuple[Any, ...], templated: bool, name: str) -> st.SearchStrategy[Any]:
    if any(isinstance(word, QuantityForm) for word in words):
        values: st.SearchStrategy[Any] = quantities
    elif any(isinstance(word, StringConstraints) and word.pattern for word in words):
        pattern = next(word.pattern for word in words if isinstance(word, StringConstraints))
        values = st.from_regex(str(pattern).replace("$", r"\Z"), fullmatch=True, alphabet=st.characters(codec="ascii"))
    elif inner is int:
        limits = {type(word).__name__: word for item in words for word in _limits(item)}
        values = st.integers(limits["Ge"].ge if "Ge" in limits else -9, limits["Le"].le if "Le" in limits else 9)
    else:
        values = of(inner, templated, name)
    return values | templates if templated and any(isinstance(word, Templated) for word in words) else values


def _limits(word: Any) -> list[Any]:
    return list(word.metadata) if isinstance(word, FieldInfo) else [word]


def _distinct(items: list[Any], key: tuple[str, ...]) -> list[Any]:
    if not key:
        return items
    return list({tuple(item.get(name) for name in key): item for item in items}.values())


def _image(value: Plain) -> Plain:
    other = [name for kind, names in ONLY.items() if kind != value["type"] for name in names]
    kept = {name: item for name, item in value.items() if name not in other}
    return {"from": "postgres:17", **kept} if value["type"] == "external" else kept


def _source(value: Plain) -> Plain:
    given = [name for name in SOURCES if name in value][1:]
    kept = {name: item for name, item in value.items() if name not in given}
    return kept if any(name in kept for name in SOURCES) else {**kept, "compose": "text"}


def _egress(value: Plain) -> Plain:
    return {"preset": value["preset"]} if "preset" in value else {**value, "cidr": "203.0.113.0/24"}


def _variable(value: Plain) -> Plain:
    return {**value, "pattern": "[a-z]+"} if "pattern" in value else value


_MENDED: dict[type[Block], Callable[[Plain], Plain]] = {
    Image: _image,
    KeySource: _source,
    Egress: _egress,
    Variable: _variable,
}
__all__ = ["stacks", "templates", "texts"]
