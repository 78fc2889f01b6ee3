"""Images of a plan: identities, digests, references, and what syncing leaves out."""

from collections.abc import Mapping

import pytest
from tests.fakes.stack_files import Content, Program
from tests.unit.deploys.preparing import CANDIDATE, LIVE
from tests.unit.deploys.stacks import told
from tests.unit.deploys.units.building import images
from tests.unit.deploys.units.texts import BUILD, DIGEST, FILES, IMAGES, Digests

from stagewright.contexts.deploys.model.inputs import Platform, Selection
from stagewright.contexts.deploys.model.plan import PlannedImage

UNUSED = "unused_image services.yaml:6: nothing uses the image 'api'; remove it"


def built(changed: Mapping[str, Content] | None = None, fields: str = "", **changes: object) -> PlannedImage:
    """Plan the image ``api`` with some files changed."""
    files: dict[str, Content] = {**FILES, **(changed or {})}
    plan, _ = images(BUILD % fields, files, **changes)  # type: ignore[arg-type]
    return plan.images[0]


@pytest.mark.parametrize(("text", "files", "changes", "expected"), IMAGES.values(), ids=IMAGES.keys())
def test_a_mistake_in_an_image_is_told_with_its_line(text, files, changes, expected) -> None:  # type: ignore[no-untyped-def]
    assert [line for line in told(images(text, files, **changes)[1]) if line != UNUSED] == expected


def test_an_image_that_nothing_uses_is_told() -> None:
    assert told(images(BUILD % "", FILES)[1]) == [UNUSED]


def test_an_identity_changes_with_everything_that_is_built_and_nothing_else() -> None:
    first = built().identity
    same = [
        built({"other/file": "x"}),
        built({"services/web/main.py": "x"}),
        built(fields=", aliases: ['1.2']"),
        built(fields=", timeout: 20m"),
        built(fields=", platforms: [linux/amd64]"),
        built(week="2026-W48"),
    ]
    assert {image.identity for image in same} == {first}
    different = [
        built({"services/api/main.py": "y"}),
        built({"services/api/more.py": "y"}),
        built({"services/api/main.py": Program("x")}),
        built({"services/api/Dockerfile": "FROM python:3.12\n#\n"}),
        built(fields=", args: {A: b}"),
        built(fields=", platforms: [linux/arm64]"),
        built({"services/api/Dockerfile": "FROM python:3.12 AS a\n"}, ", target: a"),
        built(digests=Digests({"python:3.12": DIGEST.replace("a", "b")})),
        built(platform=Platform(registry="registry.example.org", builder="buildkit-1")),
    ]
    assert len({first, *(image.identity for image in different)}) == len(different) + 1


def test_a_base_that_is_not_known_makes_the_image_anew_each_week() -> None:
    files = {"services/api/Dockerfile": "ARG V\nFROM python:$V\n"}
    assert built(files, week="2026-W47").identity != built(files, week="2026-W48").identity


def test_a_reference_says_the_project_the_trust_the_image_and_its_identity() -> None:
    image = built()
    assert image.reference == f"registry.example.org/shop/candidate/api:c-{(image.identity or '')[:40]}"
    assert image.state == "build"
    released = built(selection=LIVE)
    assert released.reference == f"registry.example.org/shop/release/api:c-{(image.identity or '')[:40]}"
    there = built(digests=Digests({"python:3.12": DIGEST, image.reference: DIGEST}))
    assert (there.state, there.digest, there.reference) == ("exists", DIGEST, image.reference)


def test_further_tags_come_from_releases_alone() -> None:
    text = BUILD % ", aliases: ['1.2']"
    assert images(text, FILES, CANDIDATE)[0].aliases == {}
    assert images(text, FILES, LIVE)[0].aliases == {"api": ("1.2",)}


def external(text: str, **changes: object) -> tuple[str, str, str | None]:
    """Plan one external image: its state, reference and digest."""
    plan, _ = images(f"  images: {{db: {{type: external, {text}}}}}\n", {}, **changes)  # type: ignore[arg-type]
    (image,) = plan.images
    assert plan.references == {"db": image.reference}
    return image.state, image.reference, image.digest


def test_a_tag_becomes_a_digest_and_is_copied_where_there_is_a_registry() -> None:
    mirrored = f"registry.example.org/shop/candidate/db@{DIGEST}"
    assert external("from: 'postgres:17'") == ("mirror", mirrored, DIGEST)
    assert external("from: 'postgres:17', mirror: never") == ("exists", f"postgres@{DIGEST}", DIGEST)
    assert external("from: 'postgres:17'", platform=Platform()) == ("exists", f"postgres@{DIGEST}", DIGEST)
    known = Digests({"postgres:17": DIGEST, mirrored: DIGEST})
    assert external("from: 'postgres:17'", digests=known) == ("exists", mirrored, DIGEST)
    assert external(f"from: 'a.org:5000/b/c:1@{DIGEST}', mirror: never") == (
        "exists",
        f"a.org:5000/b/c@{DIGEST}",
        DIGEST,
    )
    assert external("from: 'postgres:17'", digests=Digests({})) == ("unresolved", "postgres:17", None)


def test_a_digest_that_is_not_known_is_a_warning_in_a_preview_and_an_error_otherwise() -> None:
    text = "  images: {db: {type: external, from: 'postgres:17'}}\n"
    assert not images(text, {}, digests=Digests({}))[1].failed
    assert images(text, {}, digests=Digests({}), preview=False)[1].failed


def test_what_dockerignore_leaves_out_does_not_count() -> None:
    ignored = {"services/api/.dockerignore": "*.md\n"}
    assert (
        built({**ignored, "services/api/a.md": "1"}).identity == built({**ignored, "services/api/a.md": "2"}).identity
    )
    own = {**ignored, "services/api/Dockerfile.dockerignore": "*.txt\n"}
    assert built({**own, "services/api/a.md": "1"}).identity != built({**own, "services/api/a.md": "2"}).identity


SYNCED = """\
  images: {api: {type: build, context: services/api}}
  services:
    - name: api
      codeUpdateStrategy: %s
      sync: {paths: [services/api/src], container: api, mountPath: /app, exclude: ["**/*.md"]}
      manifests: [{path: api.yaml}]
"""
MANIFESTS = {"api.yaml": 'image: "{{ images.api }}"\n', "web.yaml": "image: \"{{ images['api'] }}\"\n"}
OTHER = "    - {name: web, manifests: [{path: web.yaml}]%s}\n"


def changed_by(path: str, text: str, selection: Selection = CANDIDATE) -> tuple[bool, bool]:
    """Say whether the image and the source image change with the content of a file."""
    plans = []
    for content in ("1", "2"):
        files = {**FILES, **MANIFESTS, "services/api/src/a.py": "0", path: content}
        plan, found = images(text, files, selection)
        assert not told(found)
        plans.append(plan)
    first, second = plans
    return first.images != second.images, first.syncs != second.syncs


def test_files_that_every_user_of_an_image_syncs_count_in_the_source_image_instead() -> None:
    for strategy in ("restart", "hot-reload"):
        text = SYNCED % strategy
        assert changed_by("services/api/src/a.py", text) == (False, True)
        assert changed_by("services/api/src/new.py", text) == (False, True)
        assert changed_by("services/api/src/notes.md", text) == (True, False)
        assert changed_by("services/api/main.py", text) == (True, False)


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        (SYNCED % "rebuild", CANDIDATE),
        (SYNCED % "restart", LIVE),
        (SYNCED % "restart" + OTHER % "", CANDIDATE),
        (
            SYNCED % "restart"
            + "  orchestration: {hooks: [{name: h, phase: afterDeploy, image: api, command: [a]}]}\n",
            CANDIDATE,
        ),
    ],
    ids=["strategy rebuild", "outside of candidates", "another user does not sync", "a hook runs it"],
)
def test_otherwise_they_count_in_the_image(text: str, selection: Selection) -> None:
    assert changed_by("services/api/src/a.py", text, selection)[0]


def test_a_user_that_is_switched_off_does_not_count() -> None:
    assert changed_by("services/api/src/a.py", SYNCED % "restart" + OTHER % ", when: false") == (False, True)


def test_the_source_image_has_a_place_of_its_own() -> None:
    plan, _ = images(SYNCED % "restart", {**FILES, **MANIFESTS, "services/api/src/a.py": "0"})
    (sync,) = plan.syncs
    assert plan.sources == {"api": f"registry.example.org/shop/candidate/api.sync:c-{sync.identity[:40]}"}


def test_a_synced_path_without_tracked_files_is_told() -> None:
    assert told(images(SYNCED % "restart", {**FILES, **MANIFESTS})[1]) == [
        "sync_path services.yaml:10: git tracks no file at 'services/api/src'; correct the path, or add the files"
    ]


def test_a_manifest_that_uses_an_image_that_is_switched_off_is_told_and_its_comments_are_not() -> None:
    text = """\
  images: {api: {type: external, from: 'a:1', when: false}, db: {type: external, from: 'b:1', when: false}}
  services: [{name: web, manifests: [{path: web.yaml}]}]
"""
    manifest = "a: b\n# {{ images.db }}\nimage: '{{ images.api }}'\n"
    assert told(images(text, {"web.yaml": manifest})[1]) == [
        "image_disabled web.yaml:3: 'web' uses the image 'api', which is switched off here"
    ]
