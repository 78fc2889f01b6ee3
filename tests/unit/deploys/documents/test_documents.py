"""Which documents the prompts of a role get, in what order, and what falls out."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.stack_files import Content, Link, MemoryFiles
from tests.unit.deploys.stacks import loaded
from tests.unit.deploys.stacks import told as lines

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.document.stack import Stack
from stagewright.contexts.deploys.model.documents import CutDocument
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.model.tree import plain
from stagewright.contexts.deploys.rules.documents import BUDGET, check_documents, documents_for, report_cut

FILES: Mapping[str, Content] = {
    "docs/ux.md": "calm",
    "docs/api.md": "REST",
    "docs/rules/a.md": "a",
    "docs/rules/b.md": "b",
    "out.md": Link("/etc/passwd"),
}
BOOK: Mapping[str, Content] = {"security.md": "no secrets", "plan.md": "# Plan"}


def a_stack(docs: Sequence[Mapping[str, Any]] = (), templates: Mapping[str, Any] | None = None, **spec: Any) -> Stack:
    return Stack.model_validate(
        {
            "apiVersion": "stagewright.dev/v1alpha1",
            "kind": "ServiceStack",
            "spec": {"projectDocs": list(docs), "roleDocTemplates": templates or {}, **spec},
        }
    )


def repositories(**files: Mapping[str, Content]) -> Repositories:
    sources = {"shop": MemoryFiles(FILES)} | {alias: MemoryFiles(held) for alias, held in files.items()}
    return Repositories(root="shop", sources=sources)


def doc(path: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "description": "what it is", **more}


def told(text: str, world: Repositories) -> list[str]:
    found = Findings()
    tree = loaded(text, others={alias: {} for alias in {*world.sources, *world.unavailable} - {"shop"}}).tree
    check_documents(Stack.model_validate(plain(tree)), tree, world, found)
    return lines(found)


def test_documents_come_by_priority_then_repository_then_path() -> None:
    stack = a_stack([doc("docs/ux.md"), doc("security.md", repository="book", priority=10), doc("docs/api.md")])
    chosen = documents_for("dev", stack, repositories(book=BOOK))
    assert [(item.repository, item.path) for item in chosen.documents] == [
        ("book", "security.md"),
        ("shop", "docs/api.md"),
        ("shop", "docs/ux.md"),
    ]
    assert [item.text for item in chosen.documents] == ["no secrets", "REST", "calm"]


def test_a_role_gets_what_names_it_and_what_names_nobody() -> None:
    stack = a_stack([doc("docs/ux.md", roles=["dev"]), doc("docs/api.md", roles=["qa"]), doc("docs/rules/a.md")])
    assert [item.path for item in documents_for("dev", stack, repositories()).documents] == [
        "docs/rules/a.md",
        "docs/ux.md",
    ]


def test_templates_belong_to_their_role() -> None:
    stack = a_stack(templates={"qa": [doc("plan.md", repository="book")]})
    world = repositories(book=BOOK)
    assert [item.text for item in documents_for("qa", stack, world).templates] == ["# Plan"]
    assert documents_for("dev", stack, world).templates == ()


def test_a_folder_stands_for_its_listing() -> None:
    (folder,) = documents_for("dev", a_stack([doc("docs/rules")]), repositories()).documents
    assert folder.text == "docs/rules/a.md\ndocs/rules/b.md\n"


def test_a_document_named_twice_is_told_once() -> None:
    stack = a_stack([doc("docs/ux.md", priority=5), doc("docs/ux.md")])
    assert len(documents_for("dev", stack, repositories()).documents) == 1


def test_at_most_sixteen_documents_and_twelve_templates_are_told_and_the_rest_is_named() -> None:
    files: Mapping[str, Content] = {f"d{number:02}.md": "x" for number in range(20)}
    stack = a_stack([doc(path) for path in files], {"dev": [doc(path) for path in files]})
    chosen = documents_for("dev", stack, Repositories(root="shop", sources={"shop": MemoryFiles(files)}))
    assert [item.path for item in chosen.documents] == [f"d{number:02}.md" for number in range(16)]
    assert len(chosen.templates) == 12
    assert chosen.cut[0] == CutDocument("shop", "d16.md", "count")
    assert len(chosen.cut) == 4 + 8


def test_whole_documents_fall_out_from_the_highest_priority_number_until_the_rest_fits() -> None:
    files: Mapping[str, Content] = {"a.md": "a" * 100, "b.md": "b" * 100, "c.md": "c" * 100}
    stack = a_stack([doc("a.md", priority=3), doc("b.md", priority=1), doc("c.md", priority=2)])
    world = Repositories(root="shop", sources={"shop": MemoryFiles(files)})
    chosen = documents_for("dev", stack, world, budget=200)
    assert [item.path for item in chosen.documents] == ["b.md", "c.md"]
    assert chosen.cut == (CutDocument("shop", "a.md", "size"),)
    found = Findings()
    report_cut("dev", chosen, found)
    assert [(item.code, item.message) for item in found.sorted()] == [
        ("stack.doc_cut", "the prompts of 'dev' leave out 'shop:a.md': prompt documents hold at most 256 KiB")
    ]


def test_a_document_larger_than_all_room_is_cut_and_never_told_in_part() -> None:
    world = Repositories(root="shop", sources={"shop": MemoryFiles({"huge.md": "x" * (BUDGET + 1)})})
    chosen = documents_for("dev", a_stack([doc("huge.md")]), world)
    assert (chosen.documents, chosen.cut) == ((), (CutDocument("shop", "huge.md", "size"),))


@given(
    sizes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), max_size=24),
    budget=st.integers(0, 1500),
)
def test_what_is_told_fits_and_nothing_is_lost_silently(sizes: list[tuple[int, int]], budget: int) -> None:
    files: Mapping[str, Content] = {f"{number}.md": "x" * size for number, (size, _) in enumerate(sizes)}
    docs = [doc(f"{number}.md", priority=priority) for number, (_, priority) in enumerate(sizes)]
    world = Repositories(root="shop", sources={"shop": MemoryFiles(files)})
    chosen = documents_for("dev", a_stack(docs), world, budget=budget)
    assert sum(item.size for item in chosen.documents) <= budget
    assert sorted([*(item.path for item in chosen.documents), *(item.path for item in chosen.cut)]) == sorted(files)
    kept = [item.priority for item in chosen.documents]
    assert kept == sorted(kept)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (
            "path: docs/none.md",
            "doc_missing services.yaml:7: 'docs/none.md' does not exist in the repository 'shop'",
        ),
        ("path: ../secret", "doc_outside services.yaml:7: '../secret' leaves its repository; name a path inside it"),
        ("path: out.md", "doc_outside services.yaml:7: 'out.md' leaves its repository; name a path inside it"),
        (
            "path: x.md, repository: ui",
            "unknown_repository services.yaml:7: 'ui' is no repository of the stack; known: book, shop",
        ),
    ],
)
def test_a_document_that_cannot_be_read_is_a_mistake_at_its_line(declared: str, said: str) -> None:
    text = f"""
    spec:
      projectDocs:
        - {{path: docs/ux.md, description: calm}}
        - {{{declared}, description: what it is}}
    """
    assert told(text, repositories(book=BOOK)) == [said]


def test_an_optional_document_may_be_missing() -> None:
    text = "spec: {projectDocs: [{path: docs/none.md, description: later, optional: true}]}"
    assert told(text, repositories()) == []
    assert documents_for("dev", a_stack([doc("docs/none.md", optional=True)]), repositories()).documents == ()


def test_a_template_that_is_missing_is_a_mistake() -> None:
    text = "spec: {roleDocTemplates: {qa: [{path: nothing.md, description: a plan}]}}"
    assert told(text, repositories()) == [
        "doc_missing services.yaml:4: 'nothing.md' does not exist in the repository 'shop'"
    ]


def test_with_several_repositories_every_document_says_in_which_it_is() -> None:
    text = "spec: {repositories: [{alias: book}], projectDocs: [{path: docs/ux.md, description: calm}]}"
    assert told(text, repositories(book=BOOK)) == [
        "doc_repository_required services.yaml:4: the stack has several repositories; say in which one 'docs/ux.md' is"
    ]


def test_documents_of_a_repository_that_cannot_be_read_are_left_out() -> None:
    text = """
    spec:
      repositories: [{alias: ui, required: false}]
      projectDocs: [{path: x.md, repository: ui, description: what it is}]
    """
    world = Repositories(root="shop", sources={"shop": MemoryFiles(FILES)}, unavailable={"ui": "no such commit"})
    assert told(text, world) == []
    stack = a_stack([doc("x.md", repository="ui")], repositories=[{"alias": "ui", "required": False}])
    assert documents_for("dev", stack, world).documents == ()
