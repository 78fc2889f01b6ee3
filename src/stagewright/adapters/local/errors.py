"""What the local runtime may refuse."""

from stagewright.kit.errors import Conflict, Invalid, Unavailable


class WorkloadConflict(Conflict):
    """The name, or the work tree, belongs to another attempt that still lives."""

    code = "workload_conflict"


class WorkloadInvalid(Invalid):
    """A name or a key that cannot be the name of a folder of ours."""

    code = "workload_invalid"


class LaunchFailed(Unavailable):
    """The supervisor could not be started; the same call may succeed later."""

    code = "launch_failed"
