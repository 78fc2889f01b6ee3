"""Why the embedded server cannot run here. Every message names what to change."""

from stagewright.kit.errors import Unavailable


class EmbeddedPostgresFailed(Unavailable):
    """The embedded PostgreSQL cannot be made or started; STAGEWRIGHT_DATABASE_URL is always the other way."""

    code = "postgres.failed"


class WrongMajor(EmbeddedPostgresFailed):
    """The data directory was made by another major version of PostgreSQL."""

    code = "postgres.wrong_major"


class Unreachable(EmbeddedPostgresFailed):
    """A folder is closed to the user that runs the server."""

    code = "postgres.unreachable"
