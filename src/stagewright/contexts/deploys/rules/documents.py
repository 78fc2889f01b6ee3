"""Documents and templates for the prompts of a role: chosen, ordered, and cut whole to the budget (``stack.md`` 11).

The texts come from the base commit, never from a candidate; the caller passes the base's repositories.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.stack import ProjectDoc, RoleTemplate, Stack
from stagewright.contexts.deploys.model.documents import CutDocument, PromptDocument, RoleDocuments
from stagewright.contexts.deploys.model.places import At, Path, Step
from stagewright.contexts.deploys.model.sources import EntryKind, Repositories
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence
from stagewright.contexts.deploys.rules.confining import confine
from stagewright.contexts.deploys.rules.keyed import SPEC, Form, steps

MOST_DOCUMENTS = 16
MOST_TEMPLATES = 12
BUDGET = 256 * 1024
DOCS = SPEC.fields["projectDocs"]
_COUNT = "count"
_SIZE = "size"


@dataclass(frozen=True, slots=True)
class _Listed:
    """A declared document with its place in the file."""

    item: ProjectDoc | RoleTemplate
    path: Path
    at: At

    @property
    def optional(self) -> bool:
        return isinstance(self.item, ProjectDoc) and self.item.optional


def check_documents(stack: Stack, tree: Mapping, repositories: Repositories, found: Findings) -> None:
    """Find documents that do not exist, lie outside, or do not say in which repository they are."""
    for listed in _declared(stack, tree):
        if stack.spec.repositories and listed.item.repository is None:
            found.add(
                "doc_repository_required",
                f"the stack has several repositories; say in which one {quoted(listed.item.path)} is",
                listed.at,
                listed.path,
                hint="add `repository: <alias>`",
            )
            continue
        _check_place(listed, repositories, found)


def _check_place(listed: _Listed, repositories: Repositories, found: Findings) -> None:
    alias = listed.item.repository or repositories.root
    if alias in repositories.unavailable:
        return  # said where the repository is declared
    source = repositories.sources.get(alias)
    if source is None:
        known = ", ".join(sorted(repositories.sources))
        text = f"{quoted(alias)} is no repository of the stack; known: {known}"
        found.add("unknown_repository", text, listed.at, listed.path)
        return
    path = confine(listed.item.path)
    entry = source.stat(path) if path is not None else None
    if path is None or (entry is not None and entry.kind is EntryKind.OUTSIDE):
        text = f"{quoted(listed.item.path)} leaves its repository; name a path inside it"
        found.add("doc_outside", text, listed.at, listed.path)
    elif not listed.optional and (entry is None or entry.kind is EntryKind.OTHER):
        text = f"{quoted(listed.item.path)} does not exist in the repository {quoted(alias)}"
        hint = "correct the path, or mark the document `optional: true`"
        found.add("doc_missing", text, listed.at, listed.path, hint=hint)


def documents_for(role: str, stack: Stack, repositories: Repositories, *, budget: int = BUDGET) -> RoleDocuments:
    """Return what the prompts of ``role`` get: the documents by (priority, repository, path), then its templates.

    ``budget`` in bytes covers both. Whole documents fall out, those with the highest ``priority`` number first, and
    templates only after all documents; ``cut`` names every one.
    """
    wanted = [doc for doc in stack.spec.project_docs if not doc.roles or role in doc.roles]
    documents = _ordered(_read(doc, repositories, doc.priority) for doc in wanted)
    named = stack.spec.role_doc_templates.get(role, ())
    templates = _unique(_present(_read(item, repositories, 0) for item in named))
    cut = [_cut(item, _COUNT) for item in (*documents[MOST_DOCUMENTS:], *templates[MOST_TEMPLATES:])]
    documents, templates = documents[:MOST_DOCUMENTS], templates[:MOST_TEMPLATES]
    left = budget - sum(item.size for item in (*documents, *templates))
    for kept in (documents, templates):
        while left < 0 and kept:
            last = kept.pop()
            left += last.size
            cut.append(_cut(last, _SIZE))
    return RoleDocuments(tuple(documents), tuple(templates), tuple(cut))


def report_cut(role: str, chosen: RoleDocuments, found: Findings) -> None:
    """Warn of every document that the prompts of ``role`` will not hold."""
    for item in chosen.cut:
        limit = f"at most {MOST_DOCUMENTS} documents and {MOST_TEMPLATES} templates fit"
        reason = limit if item.reason == _COUNT else f"prompt documents hold at most {BUDGET // 1024} KiB"
        where = f"{item.repository}:{item.path}" if item.repository else item.path
        text = f"the prompts of {quoted(role)} leave out {quoted(where)}: {reason}"
        found.add("doc_cut", text, hint="raise the priority of what matters by a lower number, or shorten documents")


def _cut(item: PromptDocument, reason: str) -> CutDocument:
    return CutDocument(item.repository, item.path, reason)


def _ordered(read: Iterable[PromptDocument | None]) -> list[PromptDocument]:
    return _unique(sorted(_present(read), key=_rank))


def _present(read: Iterable[PromptDocument | None]) -> list[PromptDocument]:
    return [item for item in read if item is not None]


def _rank(item: PromptDocument) -> tuple[int, str, str]:
    return (item.priority, item.repository, item.path)


def _unique(read: Iterable[PromptDocument]) -> list[PromptDocument]:
    first: dict[tuple[str, str], PromptDocument] = {}
    for item in read:
        first.setdefault((item.repository, item.path), item)
    return list(first.values())


def _read(item: ProjectDoc | RoleTemplate, repositories: Repositories, priority: int) -> PromptDocument | None:
    """Return the document, or None where it is not there: the check has told of it, or it is optional."""
    alias = item.repository or repositories.root
    source = repositories.sources.get(alias)
    path = confine(item.path)
    if source is None or path is None:
        return None
    entry = source.stat(path)
    if entry is None or entry.kind in (EntryKind.OUTSIDE, EntryKind.OTHER):
        return None
    if entry.kind is EntryKind.DIRECTORY:
        text = "".join(f"{file.path}\n" for file in source.tracked(path))
    else:
        text = source.read(path, most=BUDGET).data.decode("utf-8", "replace")
    return PromptDocument(alias, path, item.description, text, priority)


def _declared(stack: Stack, tree: Mapping) -> Iterable[_Listed]:
    path: Path = ("spec", "projectDocs")
    places = {(_text(row, "repository"), _text(row, "path")): (step, row) for step, row in _rows(tree, path, DOCS)}
    for doc in stack.spec.project_docs:
        step, row = places[(doc.repository, doc.path)]
        yield _Listed(doc, (*path, step, "path"), row.items["path"].at)
    for role, templates in stack.spec.role_doc_templates.items():
        path = ("spec", "roleDocTemplates", role)
        for template, (step, row) in zip(templates, _rows(tree, path, None), strict=True):
            yield _Listed(template, (*path, step, "path"), row.items["path"].at)


def _rows(tree: Mapping, path: Path, form: Form | None) -> Iterable[tuple[Step, Mapping]]:
    node: Node | None = tree
    for step in path:
        node = node.items.get(str(step)) if isinstance(node, Mapping) else None
    for step, row in steps(node, form) if isinstance(node, Sequence) else ():
        if isinstance(row, Mapping):
            yield step, row


def _text(row: Mapping, key: str) -> str | None:
    node = row.items.get(key)
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None
