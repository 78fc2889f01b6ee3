"""Failures of projects and repositories."""

from stagewright.kit.errors import Conflict, Invalid, NotFound


class ProjectNotFound(NotFound):
    """No such project, or none the caller may see."""

    code = "project.not_found"


class ProjectKeyTaken(Conflict):
    """Another project has this key."""

    code = "project.key_taken"


class ProjectInvalid(Invalid):
    """A field of a project is wrong."""

    code = "project.invalid"


class RepositoryNotFound(NotFound):
    """No such repository, or none the caller may see."""

    code = "repository.not_found"


class RepositoryAlreadyBound(Conflict):
    """The repository is bound already."""

    code = "repository.already_bound"


class RepositoryBusy(Conflict):
    """Runs of the repository are active: they end first."""

    code = "repository.busy"


class ProjectChanged(Conflict):
    """Another changed the project meanwhile."""

    code = "project.changed"
