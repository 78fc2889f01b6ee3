"""Stage 11: every image of a plan with its identity or digest, and the source images of units that sync files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.diagnostics import Findings, Severity, quoted
from stagewright.contexts.deploys.model.document.images import Image
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.plan import ImageState, PlannedImage, PlannedSync
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Prepared, Request
from stagewright.contexts.deploys.rules.images.checking import PLATFORMS, check_image
from stagewright.contexts.deploys.rules.images.context import BuildContext, ContextReader
from stagewright.contexts.deploys.rules.images.identity import Ingredients, identity, tag
from stagewright.contexts.deploys.rules.images.names import parsed
from stagewright.contexts.deploys.rules.images.syncing import SourceImage, left_out, source_images
from stagewright.contexts.deploys.rules.images.users import Users, find_users
from stagewright.contexts.deploys.rules.spots import spot

CANDIDATE = "candidate"
RELEASE = "release"


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """``references``: image -> what ``images.<name>`` gives in templates; ``sources``: unit -> the reference of its
    source image; ``aliases``: image -> further tags, pushed by builds from the default branch alone."""

    images: tuple[PlannedImage, ...] = ()
    syncs: tuple[PlannedSync, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def plan_images(prepared: Prepared, units: Sequence[EffectiveUnit], request: Request, found: Findings) -> ImagePlan:
    """Return the images that are switched on, by name. Digests that nobody can say now are warnings in a preview and
    errors otherwise; an image that cannot be planned gets its place in ``references`` all the same, so that one mistake
    is told once."""
    users = find_users(units, prepared, request.repositories, found)
    sources = source_images(units, prepared, request.repositories, found)
    planning = _Planning(
        prepared, request, found, users, sources, ContextReader(prepared, request.repositories.sources, found)
    )
    planned: list[PlannedImage] = []
    aliases: dict[str, tuple[str, ...]] = {}
    for name, image in sorted(prepared.stack.spec.images.items()):
        check_image(name, image, prepared, found)
        if image.when:
            planned.append(planning.external(name, image) if image.type == "external" else planning.built(name, image))
            if image.aliases and planning.trust == RELEASE:
                aliases[name] = tuple(image.aliases)
    syncs = tuple(source.planned() for _, source in sorted(sources.items()))
    return ImagePlan(
        images=tuple(planned),
        syncs=syncs,
        references={image.name: image.reference for image in planned},
        sources={sync.unit: f"{planning.repository(sync.unit)}.sync:{tag(sync.identity)}" for sync in syncs},
        aliases=aliases,
    )


@dataclass(frozen=True, slots=True)
class _Planning:
    """What is known while the images of one environment are planned."""

    prepared: Prepared
    request: Request
    found: Findings
    users: Users
    sources: Mapping[str, SourceImage]
    contexts: ContextReader

    @property
    def trust(self) -> str:
        """Where built images go: candidates and releases never share a place."""
        return CANDIDATE if self.prepared.environment.kind == "candidate" else RELEASE

    def repository(self, image: str) -> str:
        """Return the place of an image in the platform's registry."""
        inputs = self.prepared.inputs
        place = f"{inputs.project.key}/{self.trust}/{image}"
        return f"{inputs.platform.registry}/{place}" if inputs.platform.registry else place

    def external(self, name: str, image: Image) -> PlannedImage:
        """Return an image that exists elsewhere, by digest."""
        path: Path = ("spec", "images", name, "from")
        written = image.from_ or ""
        reference = parsed(written)
        if reference is None:
            message = f"{quoted(written)} is no reference of an image; write it like postgres:17 or with @sha256:…"
            self.found.add("bad_value", message, spot(self.prepared.tree, path), path)
            return PlannedImage(name=name, type="external", reference=written, state="unresolved")
        digest = reference.digest or self.request.digests.resolve(written)
        if digest is None:
            message = (
                f"the digest of {quoted(written)} is not known now; write it with @sha256:…, or plan with a server"
            )
            self._unresolved(message, spot(self.prepared.tree, path), path)
            return PlannedImage(name=name, type="external", reference=written, state="unresolved")
        if self.prepared.inputs.platform.registry and image.mirror != "never":
            pinned = f"{self.repository(name)}@{digest}"
            there = self.request.digests.resolve(pinned) is not None
            return PlannedImage(
                name=name, type="external", reference=pinned, digest=digest, state="exists" if there else "mirror"
            )
        pinned = f"{reference.repository}@{digest}"
        return PlannedImage(name=name, type="external", reference=pinned, digest=digest, state="exists")

    def built(self, name: str, image: Image) -> PlannedImage:
        """Return an image that the platform builds, by its content."""
        context = self.contexts.read(name, image)
        if context is None:
            return PlannedImage(name=name, type="build", reference=self.repository(name), state="unresolved")
        made = identity(self._ingredients(name, image, context))
        reference = f"{self.repository(name)}:{tag(made)}"
        digest = self.request.digests.resolve(reference) if self.prepared.inputs.platform.registry else None
        state: ImageState = "exists" if digest is not None else "build"
        return PlannedImage(name=name, type="build", reference=reference, identity=made, digest=digest, state=state)

    def _ingredients(self, name: str, image: Image, context: BuildContext) -> Ingredients:
        synced = left_out(name, context.alias, self.users, self.sources)
        bases, known = self._bases(context)
        return Ingredients(
            files=[item for item in context.files if item.file.path not in synced],
            dockerfile=context.source.blob_id,
            target=image.target,
            args=image.args or {},
            platforms=image.platforms or PLATFORMS,
            bases=bases,
            builder=self.prepared.inputs.platform.builder,
            week=None if known else self.request.week,
        )

    def _bases(self, context: BuildContext) -> tuple[dict[str, str | None], bool]:
        """Return the digests of what a build starts from, and whether each of them has a name that can be read."""
        digests: dict[str, str | None] = {}
        known = True
        for base in context.dockerfile.bases:
            at = At(context.source, base.line, 1)
            reference = parsed(base.reference) if base.reference is not None else None
            if base.reference is None or reference is None:
                known = False
                message = (
                    f"what {quoted(base.written)} is cannot be read here, so the image is built anew each week; write "
                    "the base out, or give its ARG a default"
                )
                self.found.add("image_base_unresolved", message, at)
                digests[base.written] = None
                continue
            digest = reference.digest or self.request.digests.resolve(base.reference)
            if digest is None:
                message = f"the digest of the base {quoted(base.reference)} is not known now; plan with a server"
                self._unresolved(message, at)
            digests[base.reference] = digest
        return digests, known

    def _unresolved(self, message: str, at: At, path: Path = ()) -> None:
        severity = Severity.WARNING if self.request.preview else Severity.ERROR
        self.found.add("image_digest_unresolved", message, at, path, severity=severity)
