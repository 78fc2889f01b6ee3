"""A new secret for a repository's webhook: shown once, beside the one before, which counts until the next rotation."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import BaseModel

from stagewright.contexts.identity.api import Permission
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.http.repositories import PartsDep, hidden_repository, visible_repository, webhook_url
from stagewright.contexts.runs.http.shapes import CallerDep
from stagewright.contexts.runs.usecases import binding
from stagewright.kit.db import Tx
from stagewright.kit.errors import Denied
from stagewright.kit.http import VersionMismatch, etag, expected_version
from stagewright.kit.http.once import Answer, KeyedOnce
from stagewright.kit.http.routes import Routes
from stagewright.kit.http.shapes import Id

routes = Routes(tag="repositories")
VersionDep = Annotated[int, Depends(expected_version)]


class RotatedView(BaseModel):
    """A repository whose webhook has a new secret. It is shown this once."""

    id: Id
    project_id: Id
    full_name: str
    version: int
    webhook_url: str
    webhook_secret: str


@routes.post(
    "/projects/{project_id}/repositories/{repository_id}:rotate-webhook-secret",
    Permission.REPOSITORY_MANAGE,
    keyed=True,
    response_model=RotatedView,
)
async def rotate_webhook_secret(
    project_id: UUID, repository_id: UUID, me: CallerDep, once: KeyedOnce, version: VersionDep, parts: PartsDep
) -> Response:
    """Make a new secret for the repository's webhook. Needs ``If-Match``.

    The secret before stays valid until the next rotation, the one before that does not. Repositories bound through one
    GitHub App share its webhook: who rotates manages them all.
    """

    def agreed(found: projects.Repository, sharing: Sequence[projects.Repository]) -> None:
        if found.version != version:
            raise VersionMismatch("the repository was changed since you read it: read it again")
        if not all(me.may(Permission.REPOSITORY_MANAGE, item.project_id) for item in sharing):
            raise Denied(
                "the GitHub App's webhook serves other projects too",
                permission=Permission.REPOSITORY_MANAGE.value,
                grantor="platform_admin",
            )

    async def act(tx: Tx) -> Answer:
        await visible_repository(tx, project_id, repository_id, me)
        rotated = await binding.rotate_webhook_secret(
            tx, repository_id, sealer=parts.sealers.webhook_secrets, agreed=agreed
        )
        if rotated is None:
            raise hidden_repository(repository_id)
        secret, after = rotated
        view = RotatedView(
            id=str(after.id),
            project_id=str(after.project_id),
            full_name=after.full_name,
            version=after.version,
            webhook_url=webhook_url(after, parts),
            webhook_secret=secret,
        )
        return Answer(view, 200, {"ETag": etag(after.version)})

    return await once.run(act)
